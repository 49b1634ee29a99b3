// Package terminal is the gateway's client for a terminal: watch, list, add, batch, remove and
// the controls of a conference.
package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/audian/participant-gateway/client"
	"github.com/audian/participant-gateway/internal/redact"
)

// Process is what a command uses of its process.
type Process struct {
	In          io.Reader
	Out, Errors *os.File
	// Getenv returns an environment variable.
	Getenv func(name string) string
}

// IsCommand reports whether a word is a command of this package.
func IsCommand(word string) bool {
	parser, err := newParser(&commands{}, "", io.Discard)
	if err != nil {
		return false
	}
	for _, command := range parser.Model.Children {
		if command.Name == word {
			return true
		}
	}
	return false
}

// Run runs the command that the arguments name. It returns a *UsageError for wrong arguments,
// and ErrHelp after it has printed the help.
func Run(ctx context.Context, args []string, process Process) error {
	var line commands
	parser, err := newParser(&line, cmp.Or(process.Getenv("GATEWAY_ADDR"), defaultAddr), process.Out)
	if err != nil {
		return fmt.Errorf("build the parser: %w", err)
	}
	parsed, err := parser.Parse(args)
	switch {
	case errors.Is(err, ErrHelp):
		return ErrHelp
	case err != nil:
		return &UsageError{err}
	}
	connection, err := line.open(redact.Secret(process.Getenv("GATEWAY_KEY")))
	if err != nil {
		return err
	}
	defer connection.Close() //nolint:errcheck // The process ends here.
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(&session{client: connection, process: process, json: line.JSON}) //nolint:wrapcheck // It is an error of the command.
}

// session is one run of a command.
type session struct {
	client  *client.Client
	process Process
	json    bool
}

// ErrHelp reports that the help was printed.
var ErrHelp = errors.New("the help was printed")

// UsageError reports wrong arguments.
type UsageError struct{ err error }

// Error returns one line.
func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.err }

// defaultAddr is where a gateway on this machine listens.
const defaultAddr = "127.0.0.1:9090"

func newParser(line *commands, addr string, out io.Writer) (*kong.Kong, error) {
	return kong.New( //nolint:wrapcheck // The callers wrap.
		line,
		kong.Name("server"),
		kong.Description("Commands of a client for the terminal."),
		kong.Writers(out, out),
		kong.NoDefaultHelp(),
		kong.Vars{"addr": addr},
	)
}
