// Command protoexport prints the third-party .proto files that the service's proto imports,
// from the descriptors in Go packages. So they are the versions that the service links,
// pinned by go.sum, and no schema registry is needed.
//
// Usage:
//
//	protoexport DIR
package main

import (
	"fmt"
	"os"

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/jhump/protoreflect/v2/protoprint"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// exported are the imported files. The google/protobuf files come with buf.
var exported = []string{
	"buf/validate/validate.proto",
	"google/api/annotations.proto",
	"google/api/field_behavior.proto",
	"google/api/http.proto",
	"google/rpc/status.proto",
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: protoexport DIR")
		os.Exit(2)
	}
	if err := export(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "protoexport:", err)
		os.Exit(1)
	}
}

func export(dir string) error {
	files := make([]protoreflect.FileDescriptor, 0, len(exported))
	for _, path := range exported {
		file, err := protoregistry.GlobalFiles.FindFileByPath(path)
		if err != nil {
			return fmt.Errorf("find %s: %w", path, err)
		}
		files = append(files, file)
	}
	printer := protoprint.Printer{}
	if err := printer.PrintProtosToFileSystem(files, dir); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
