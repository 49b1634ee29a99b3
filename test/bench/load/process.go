package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// process is a server that was started. Its CPU time and memory are read from /proc.
type process struct {
	command *exec.Cmd
	output  *bufio.Scanner
	// pprofAddr is where the process serves its profiles; empty if it does not.
	pprofAddr string
}

// start starts a program that ends with ctx, and at the latest when its standard input ends.
func start(ctx context.Context, program string, args ...string) (*process, error) {
	command := exec.CommandContext(ctx, program, args...)
	command.Env = []string{"AUDIAN_AUTH_TOKEN=token"}
	if _, err := command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return &process{command: command, output: bufio.NewScanner(output)}, nil
}

// line returns the next line of the process's standard output.
func (p *process) line() (string, error) {
	if !p.output.Scan() {
		return "", errors.New(p.command.Path + " ended before it wrote its addresses")
	}
	return p.output.Text(), nil
}

// stop kills the process and waits for its end.
func (p *process) stop() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// tick is the unit of times in /proc, on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// cpu returns the processor time that the process has used.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	// The name of the program, in parentheses, may contain spaces.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("read the processor time: %d fields", len(fields))
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	system, err := strconv.Atoi(fields[12])
	if err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	return time.Duration(user+system) * tick, nil
}

// memory returns the resident memory of the process in bytes.
func (p *process) memory() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory: %w", err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0, fmt.Errorf("read the memory: %w", err)
	}
	return float64(resident * os.Getpagesize()), nil
}
