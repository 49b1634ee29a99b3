package config

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// KeysEdit is the arguments of 'server keys', which edits a file of --auth=keys.
type KeysEdit struct {
	// Revoke removes the caller's key; otherwise the caller gets one.
	Revoke bool
	File   string
	Name   string
	// Role and Conferences are the rights of a new caller; no conference means all.
	Role        string
	Conferences []string
	// AllowPrefix and AddsPerDay are the calling policy of a new caller; nil means no limit.
	AllowPrefix []string
	AddsPerDay  *int
}

// keysLine is the command line of 'server keys'.
type keysLine struct {
	Help helpFlag `short:"h" help:"Show this help and exit."`

	Add    keysAdd    `help:"Add a caller and print its key once; the file contains only the hash." cmd:""`
	Revoke keysRevoke `help:"Remove a caller and its key."                                       cmd:""`
}

type keysAdd struct {
	File        string   `placeholder:"FILE" help:"File of --auth-keys-file; created if it does not exist." required:"true"`
	Name        string   `placeholder:"NAME" help:"Name of the caller, for the log." required:"true"`
	Role        string   `enum:"viewer,reader,writer" placeholder:"ROLE" help:"What the caller may do: viewer (read, with masked phone numbers), reader (read) or writer (add, remove and control too)." required:"true"`
	Conferences []string `name:"conference" placeholder:"ID" help:"Conference that the caller may use; may be repeated (default: all)." sep:"none"`
	AllowPrefix []string `name:"allow-prefix" placeholder:"PREFIX" help:"Prefix, such as +1, of the phone numbers in E.164 form that the caller may dial; may be repeated (default: all)." sep:"none"`
	AddsPerDay  *int     `name:"adds-per-day" placeholder:"N" help:"Adds that the caller may send in a day, which begins at midnight UTC (default: no limit)."`
}

type keysRevoke struct {
	File string `placeholder:"FILE" help:"File of --auth-keys-file." required:"true"`
	Name string `placeholder:"NAME" help:"Name of the caller." required:"true"`
}

// ParseKeys reads the arguments of 'server keys'. Its error is an *ExitError.
func ParseKeys(args []string, stdout io.Writer) (KeysEdit, error) {
	var line keysLine
	parser, err := kong.New(
		&line,
		kong.Name("server keys"),
		kong.Description("Edits the file of callers of --auth=keys. A running gateway applies changes within seconds."),
		kong.Writers(stdout, stdout),
		kong.NoDefaultHelp(),
	)
	if err != nil {
		return KeysEdit{}, fmt.Errorf("build the parser: %w", err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return KeysEdit{}, exitError(err, &environment{})
	}
	if ctx.Command() == "revoke" {
		return KeysEdit{Revoke: true, File: line.Revoke.File, Name: line.Revoke.Name}, nil
	}
	return KeysEdit{
		File: line.Add.File, Name: line.Add.Name, Role: line.Add.Role, Conferences: line.Add.Conferences,
		AllowPrefix: splitPrefixes(line.Add.AllowPrefix), AddsPerDay: line.Add.AddsPerDay,
	}, nil
}
