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

	Add    keysAdd    `help:"Give a caller a key, printed once: the file holds its hash alone." cmd:""`
	Revoke keysRevoke `help:"Take a caller's key away."                                         cmd:""`
}

type keysAdd struct {
	File        string   `placeholder:"FILE" help:"File of --auth-keys-file; made where there is none." required:"true"`
	Name        string   `placeholder:"NAME" help:"Name of the caller, for the log." required:"true"`
	Role        string   `enum:"reader,writer" placeholder:"ROLE" help:"What the caller may do: reader (list and watch) or writer (add and remove too)." required:"true"`
	Conferences []string `name:"conference" placeholder:"ID" help:"Conference that the caller may use; may be repeated. None: all." sep:"none"`
}

type keysRevoke struct {
	File string `placeholder:"FILE" help:"File of --auth-keys-file." required:"true"`
	Name string `placeholder:"NAME" help:"Name of the caller." required:"true"`
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
