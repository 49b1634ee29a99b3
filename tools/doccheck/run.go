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
	// watchFor limits commands that stream.
	watchFor = 4 * time.Second
	// runFor limits other commands; one of them may build a tool first.
	runFor = 5 * time.Minute
)

// run runs the block's commands and compares their output.
func (b block) run(ctx context.Context, env *environment) error {
	bound := runFor
	if b.watch {
		bound = watchFor
	}
	printed, err := shell(ctx, bound, env.substitute(b.script))
	switch {
	case b.watch && errors.Is(err, context.DeadlineExceeded) && printed != "":
	case b.watch && err == nil && printed != "":
	case err != nil:
		return fmt.Errorf("%w\n%s", err, truncate(printed))
	case b.watch:
		return errors.New("the stream is empty")
	}
	if missing := firstMissing(env.restore(printed), b.want); missing != "" {
		return fmt.Errorf("the output does not contain %q; it is\n%s", missing, truncate(printed))
	}
	return nil
}

// shell runs a script in a new process group, and ends the group after it.
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

// truncate limits the output in a failure message.
func truncate(printed string) string {
	const most = 2000
	if len(printed) <= most {
		return printed
	}
	return strings.ToValidUTF8(printed[:most], "") + "…"
}
