package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// measure measures what a unit costs the process, and meanwhile takes a CPU profile if the flags ask for one.
func (b *bench) measure(ctx context.Context, p *process, count counter) (figures, error) {
	if b.profiles == "" || p.pprofAddr == "" {
		return measure(ctx, p, b.duration(), count)
	}
	type taken struct {
		content []byte
		err     error
	}
	done := make(chan taken, 1)
	go func() {
		var content bytes.Buffer
		_, err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.pprofAddr, max(int(b.seconds), 1)), &content)
		done <- taken{content.Bytes(), err}
	}()
	result, err := measure(ctx, p, b.duration(), count)
	profiled := <-done
	if err != nil {
		return figures{}, err
	}
	result.profile = profiled.content
	return result, profiled.err
}

// saveProfiles writes the profiles of the last round to files, and prints what each group of
// functions costs.
func saveProfiles(dir string, scenarios []*scenario, w io.Writer) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("save the profiles: %w", err)
	}
	var text strings.Builder
	for _, s := range scenarios {
		var columns []column
		for _, c := range s.contenders {
			last := c.results[len(c.results)-1]
			if last.profile == nil {
				continue
			}
			path := filepath.Join(dir, fileName(s.name+" "+c.name)+".pprof")
			if err := os.WriteFile(path, last.profile, 0o600); err != nil {
				return fmt.Errorf("save a profile: %w", err)
			}
			groups, err := groupsOf(last.profile)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			columns = append(columns, column{c.name, last.cost, groups})
		}
		printGroups(&text, s.name, columns)
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("print the profiles: %w", err)
	}
	return nil
}

// fileName returns a name without characters that a shell or a file system treats specially.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name)
}

// column is a server in the table of groups: its cost, and the share of each group.
type column struct {
	name   string
	cost   time.Duration
	shares map[string]float64
}

// printGroups prints what each group costs each server, for each unit of the case.
func printGroups(text *strings.Builder, name string, columns []column) {
	if len(columns) == 0 {
		return
	}
	groups := map[string]bool{}
	text.WriteString("\n| " + name)
	for _, c := range columns {
		text.WriteString(" | " + c.name)
		for group := range c.shares {
			groups[group] = true
		}
	}
	text.WriteString(" |\n| ---" + strings.Repeat(" | ---", len(columns)) + " |\n")
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		text.WriteString("| " + group)
		for _, c := range columns {
			text.WriteString(" | " + formatCost(time.Duration(float64(c.cost)*c.shares[group])))
		}
		text.WriteString(" |\n")
	}
}

// groupsOf returns the share of each group of functions in a profile.
func groupsOf(content []byte) (map[string]float64, error) {
	parsed, err := profile.ParseData(content)
	if err != nil {
		return nil, fmt.Errorf("parse the profile: %w", err)
	}
	shares, total := map[string]float64{}, 0.0
	for _, sample := range parsed.Sample {
		value := float64(sample.Value[len(sample.Value)-1])
		shares[group(stackOf(sample))] += value
		total += value
	}
	for name := range shares {
		shares[name] /= total
	}
	return shares, nil
}

// stackOf returns the functions of a sample, the one that ran first.
func stackOf(sample *profile.Sample) []string {
	var functions []string
	for _, location := range sample.Location {
		for _, line := range location.Line {
			functions = append(functions, line.Function.Name)
		}
	}
	return functions
}

// functions are a group of functions, by the beginnings of their names.
type functions struct {
	name     string
	prefixes []string
}

func (f functions) contain(function string) bool {
	return slices.ContainsFunc(f.prefixes, func(prefix string) bool { return strings.HasPrefix(function, prefix) })
}

// groups are what the runtime and the system do. A sample belongs to the first group of which a function
// is in its stack.
var groups = []functions{
	{"system calls: write", []string{"syscall.write", "syscall.Write", "syscall.writev", "syscall.sendto", "golang.org/x/sys/unix.Write"}},
	{"system calls: read", []string{"syscall.read", "syscall.Read"}},
	{"system calls: other", []string{"syscall.Syscall", "syscall.RawSyscall", "syscall.rawSyscall"}},
	{"waiting and waking up: epoll, futex", []string{
		"runtime.netpoll", "runtime.futex", "runtime.notesleep", "runtime.notewakeup", "runtime.usleep",
	}},
	{"memory: allocation, collection, stacks", []string{
		"runtime.gc", "runtime.mallocgc", "runtime.newstack", "runtime.bgsweep", "runtime.bgscavenge", "runtime.growslice", "runtime.wbBuf",
	}},
	{"scheduler", []string{
		"runtime.mcall", "runtime.schedule", "runtime.mstart", "runtime.goready", "runtime.newproc", "runtime.gopark", "runtime.ready",
	}},
}

// packages are groups of packages. A sample that is in no other group belongs to that of the innermost
// function which is in one of these.
var packages = []functions{
	{"package net/http", []string{"net/http", "net/textproto", "net/url"}},
	{"packages of gRPC", []string{"google.golang.org/grpc", "golang.org/x/net/http2"}},
	{"package of grpc-gateway", []string{"github.com/grpc-ecosystem/grpc-gateway"}},
	{"packages of protobuf", []string{"google.golang.org/protobuf"}},
	{"packages of JSON", []string{"encoding/json", "github.com/go-json-experiment"}},
	{"package of the log", []string{"log/slog"}},
	{"packages of metrics", []string{"github.com/prometheus"}},
	{"package of retries", []string{"github.com/failsafe-go"}},
	{"packages context and time", []string{"context.", "time."}},
	{"the server's own code", []string{"github.com/audian/participant-gateway", "main."}},
}

// group returns the group of a stack, whose innermost function is the first.
func group(stack []string) string {
	for _, g := range groups {
		if slices.ContainsFunc(stack, g.contain) {
			return g.name
		}
	}
	for _, function := range stack {
		for _, p := range packages {
			if p.contain(function) {
				return p.name
			}
		}
	}
	return "other code"
}
