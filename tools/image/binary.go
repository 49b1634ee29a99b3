package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
)

// binary is a static Linux executable.
type binary struct {
	arch    string
	content []byte
}

// machines are the architectures that an image can have, by their Go names.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// readStatic reads an executable. The image has no dynamic linker, so it refuses one that needs it.
func readStatic(arch, path string) (binary, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return binary{}, fmt.Errorf("read the binary: %w", err)
	}
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return binary{}, fmt.Errorf("read the binary: %w", err)
	}
	if machine, known := machines[arch]; !known || file.Machine != machine {
		return binary{}, fmt.Errorf("the binary is for %v", file.Machine)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return binary{}, errors.New("the binary is not static: build it with CGO_ENABLED=0")
		}
	}
	return binary{arch: arch, content: content}, nil
}
