package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// watchFor is how long commands that stream are let run.
	watchFor = 4 * time.Second
	// runFor bounds the others; one of them may have to build a tool first.
	runFor = 5 * time.Minute
)

// run runs the block's commands as its reader would, and compares what they print.
func (b block) run(ctx context.Context, on *bench) error {
	bound := runFor
	if b.watch {
		bound = watchFor
	}
	printed, err := shell(ctx, bound, on.substitute(b.script))
	switch {
	case b.watch && errors.Is(err, context.DeadlineExceeded) && printed != "":
	case b.watch && err == nil && printed != "":
	case err != nil:
		return fmt.Errorf("%w\n%s", err, shortened(printed))
	case b.watch:
		return errors.New("the stream is empty")
	}
	if missing := lacks(on.restore(printed), b.want); missing != "" {
		return fmt.Errorf("the output lacks %q; it is\n%s", missing, shortened(printed))
	}
	return nil
}

// shell runs a script in a process group of its own, which ends with it.
func shell(ctx context.Context, bound time.Duration, script string) (printed string, err error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var out bytes.Buffer
	command := exec.CommandContext(ctx, "bash", "-eu", "-c", script)
	command.Stdout, command.Stderr = &out, &out
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	err = command.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return strings.TrimSpace(out.String()), err
}

// shortened bounds what a failure shows.
func shortened(printed string) string {
	const most = 2000
	if len(printed) <= most {
		return printed
	}
	return strings.ToValidUTF8(printed[:most], "") + "…"
}
