package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// buildsAtOnce is the number of builds that run at the same time.
const buildsAtOnce = 2

// built is the outcome of a build.
type built struct {
	seconds float64
	// skipped is why the client cannot be built here, problem why the build failed.
	skipped, problem string
}

// buildAll builds every client, and returns the outcomes by name.
func buildAll(ctx context.Context, s settings, selected []client, out io.Writer) map[string]built {
	slots := make(chan struct{}, buildsAtOnce)
	builds := map[string]func() built{}
	results := map[string]built{}
	var mu sync.Mutex
	var running sync.WaitGroup
	for _, c := range selected {
		command := strings.Join(c.Build, " ")
		if builds[command] == nil {
			builds[command] = sync.OnceValue(func() built {
				slots <- struct{}{}
				defer func() { <-slots }()
				return build(ctx, s, c, out)
			})
		}
		buildOnce := builds[command]
		running.Go(func() {
			b := built{skipped: missing(c)}
			if b.skipped == "" && len(c.Build) > 0 && !s.noBuild {
				b = buildOnce()
			}
			mu.Lock()
			defer mu.Unlock()
			results[c.Name] = b
		})
	}
	running.Wait()
	return results
}

// missing returns why a client cannot be built here; empty if it can.
func missing(c client) string {
	for _, command := range c.Needs {
		if _, err := exec.LookPath(command); err != nil {
			return "there is no " + command
		}
	}
	return ""
}

func build(ctx context.Context, s settings, c client, out io.Writer) built {
	began := time.Now()
	log, err := os.Create(filepath.Join(s.logs, c.Name+".build.log"))
	if err != nil {
		return built{problem: err.Error()}
	}
	defer func() { _ = log.Close() }()
	command := exec.CommandContext(ctx, c.Build[0], c.Build[1:]...)
	command.Dir, command.Stdout, command.Stderr = s.clientDir, log, log
	err = command.Run()
	b := built{seconds: time.Since(began).Seconds()}
	if err != nil {
		b.problem = fmt.Sprintf("build: %v, see %s", err, log.Name())
	}
	_, _ = fmt.Fprintf(out, "built %s in %.1f s\n", c.Name, b.seconds)
	return b
}
