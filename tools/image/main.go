// Command image assembles the gateway's container image from static binaries, without a container engine and without a
// base image. It writes an OCI layout with one image for each architecture. Equal inputs give equal digests.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image: "+err.Error())
		os.Exit(1)
	}
}

// run builds the image of the binaries that the arguments name, such as amd64=bin/linux-amd64/server.
func run(args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	out := flags.String("out", "", "the directory of the OCI layout; an earlier one is replaced")
	version := flags.String("version", "", "the version, also the image's tag in the layout")
	revision := flags.String("revision", "", "the commit")
	created := flags.String("created", "", "the commit's time (RFC 3339)")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("parse the arguments: %w", err)
	}
	if *out == "" || flags.NArg() == 0 {
		return errors.New("-out and at least one ARCHITECTURE=BINARY are needed")
	}
	at, err := time.Parse(time.RFC3339, *created)
	if err != nil {
		return fmt.Errorf("-created: %w", err)
	}
	origin := release{version: *version, revision: *revision, created: at.UTC()}
	var binaries []binary
	for _, arg := range flags.Args() {
		arch, path, _ := strings.Cut(arg, "=")
		executable, err := readStatic(arch, path)
		if err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
		binaries = append(binaries, executable)
	}
	index, err := assemble(origin, binaries)
	if err != nil {
		return fmt.Errorf("assemble the image: %w", err)
	}
	return write(*out, index)
}
