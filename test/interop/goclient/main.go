// Command goclient drives package client by commands: one JSON object a line on stdin, one a
// line on stdout. The interop suite runs it beside the clients of the other languages.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "goclient:", err)
		os.Exit(1)
	}
}

// maxLine is the size of the longest command, a batch.
const maxLine = 4 << 20

// run serves the commands of in, and ends what is open at its end.
func run(ctx context.Context, in io.Reader, out io.Writer) error {
	s := newSession(out)
	defer s.end()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if err := s.serve(ctx, lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read a command: %w", err)
	}
	return nil
}
