package config

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/alecthomas/kong"

	"github.com/audian/participant-gateway/internal/redact"
)

// Parse reads the configuration from the command line, without the program's name,
// and from the environment, NAME=value as in os.Environ. Its error is an *ExitError.
// It writes --help and --version to stdout.
func Parse(args, environ []string, stdout io.Writer) (Config, error) {
	environment := newEnvironment(environ)
	var line commandLine
	parser, err := newParser(&line, environment, stdout)
	if err != nil {
		return Config{}, fmt.Errorf("build the parser: %w", err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return Config{}, exitError(err, environment)
	}
	environment.recordFlags(ctx)
	cfg := line.Config
	if cfg.Ignored, err = environment.unknown(parser.Model.Flags); err != nil {
		return Config{}, err
	}
	if err := cfg.validate(environment); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

func newParser(line *commandLine, env *environment, stdout io.Writer) (*kong.Kong, error) {
	parser, err := kong.New(
		line,
		kong.Name("server"),
		kong.Description("The participant gateway: Audian's conference participants over gRPC, REST and live streams. 'server keys' edits the file of --auth-keys-file. 'server watch', 'list', 'add', 'batch', 'remove', 'mute' and others are a client: 'server watch --help'."),
		kong.Writers(stdout, stdout),
		kong.NoDefaultHelp(),
		kong.DefaultEnvars("GATEWAY"),
		kong.Resolvers(env),
		kong.TypeMapper(reflect.TypeFor[redact.Secret](), kong.MapperFunc(decodeSecret)),
		kong.ValueFormatter(helpWithVariable),
	)
	if err != nil {
		return nil, err //nolint:wrapcheck // The one caller wraps.
	}
	disableKongEnv(parser.Model.Flags)
	return parser, nil
}

func exitError(err error, env *environment) error {
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return exit
	}
	return usageError("%s", env.explain(err.Error()))
}

// commandLine is the configuration and the flags that print and exit.
type commandLine struct {
	Config

	Help    helpFlag    `short:"h" help:"Show this help and exit."`
	Version versionFlag `env:"-"   help:"Show the version and exit."`
}

type helpFlag bool

// BeforeReset is the hook that kong calls first.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return fmt.Errorf("print the help: %w", err)
	}
	return &ExitError{}
}

type versionFlag bool

// BeforeReset is the hook that kong calls first.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	if _, err := io.WriteString(app.Stdout, versionLine()); err != nil {
		return fmt.Errorf("print the version: %w", err)
	}
	return &ExitError{}
}

func helpWithVariable(value *kong.Value) string {
	if value.Flag == nil || len(value.Flag.Envs) == 0 {
		return value.Help
	}
	return fmt.Sprintf("%s [$%s]", value.Help, value.Flag.Envs[0])
}
