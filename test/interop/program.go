package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
)

// program is a process of a client.
type program struct {
	*transcript

	input   io.WriteCloser
	process *exec.Cmd
	exited  chan struct{}
}

// startProgram starts a client's program in a folder; log gets its standard error.
func startProgram(ctx context.Context, dir string, command []string, log io.Writer) (*program, error) {
	p := &program{transcript: newTranscript(), exited: make(chan struct{})}
	path, err := filepath.Abs(filepath.Join(dir, command[0]))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	p.process = exec.CommandContext(ctx, path, command[1:]...)
	p.process.Dir, p.process.Stderr = dir, log
	// A process group of its own, so that kill ends what the program started too.
	p.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.process.Cancel = p.killGroup
	p.process.WaitDelay = time.Second
	if p.input, err = p.process.StdinPipe(); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	output, written, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	p.process.Stdout = written
	err = p.process.Start()
	_ = written.Close()
	if err != nil {
		_ = output.Close()
		return nil, fmt.Errorf("client: %w", err)
	}
	go func() {
		p.read(output)
		_ = output.Close()
	}()
	go func() {
		_ = p.process.Wait()
		close(p.exited)
	}()
	return p, nil
}

// send writes a command.
func (p *program) send(command message) error {
	text, err := json.Marshal(command, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("command: %w", err)
	}
	if _, err := p.input.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	return nil
}

// end closes the program's input, waits until it has exited, and returns an error unless its exit code
// is 0.
func (p *program) end(ctx context.Context) error {
	_ = p.input.Close()
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("has not exited after the end of its input: %w", context.Cause(ctx))
	}
	if code := p.process.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d after the end of its input", code)
	}
	return nil
}

// kill ends the program and what it started, at once.
func (p *program) kill() {
	_ = p.killGroup()
	_ = p.input.Close()
	<-p.exited
}

func (p *program) killGroup() error {
	if err := syscall.Kill(-p.process.Process.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}
