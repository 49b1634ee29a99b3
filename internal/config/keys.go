package config

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// KeysEdit is a call of 'server keys': what to do with a file of --auth=keys.
type KeysEdit struct {
	// Revoke takes the caller's key away; else one is added.
	Revoke bool
	File   string
	Name   string
	// Role and Conferences are those of a caller that is added; no conference means all.
	Role        string
	Conferences []string
}

// keysLine is the command line of 'server keys'.
type keysLine struct {
	Help helpFlag `short:"h" help:"Show this help and exit."`

	Add    keysAdd    `cmd:"" help:"Give a caller a key, printed once: the file holds its hash alone."`
	Revoke keysRevoke `cmd:"" help:"Take a caller's key away."`
}

type keysAdd struct {
	File        string   `required:"" placeholder:"FILE"   help:"File of --auth-keys-file; made where there is none."`
	Name        string   `required:"" placeholder:"NAME"   help:"Name of the caller, for the log."`
	Role        string   `required:"" enum:"reader,writer" placeholder:"ROLE" help:"What the caller may do: reader (list and watch) or writer (add and remove too)."`
	Conferences []string `name:"conference" sep:"none" placeholder:"ID" help:"Conference that the caller may use; may be repeated. None: all."`
}

type keysRevoke struct {
	File string `required:"" placeholder:"FILE" help:"File of --auth-keys-file."`
	Name string `required:"" placeholder:"NAME" help:"Name of the caller."`
}

// ParseKeys reads the command line after 'server keys'. Its error is as Parse's.
func ParseKeys(args []string, stdout io.Writer) (KeysEdit, error) {
	var line keysLine
	parser, err := kong.New(
		&line,
		kong.Name("server keys"),
		kong.Description("Edits the file of callers that --auth=keys admits. A gateway that runs takes changes over within seconds."),
		kong.Writers(stdout, stdout),
		kong.NoDefaultHelp(),
	)
	if err != nil {
		return KeysEdit{}, fmt.Errorf("build the parser: %w", err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return KeysEdit{}, asExit(err, &environment{})
	}
	if ctx.Command() == "revoke" {
		return KeysEdit{Revoke: true, File: line.Revoke.File, Name: line.Revoke.Name}, nil
	}
	return KeysEdit{File: line.Add.File, Name: line.Add.Name, Role: line.Add.Role, Conferences: line.Add.Conferences}, nil
}
