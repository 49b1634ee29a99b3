package config

import (
	"strings"

	"github.com/alecthomas/kong"
)

// environment gives kong the values of variables in place of kong's own reading of
// the process's: it can be injected, and it remembers what came from where, so
// that a complaint names what its reader can change. An empty variable is unset.
type environment struct {
	lookup func(string) (string, bool)
	// used holds, by flag, the variable that its value was read from.
	used map[string]string
	// given are the flags on the command line.
	given map[string]bool
}

var _ kong.Resolver = (*environment)(nil)

// adopt takes the variables' names out of kong's hands. They stay in Flag.Envs.
func (e *environment) adopt(flags []*kong.Flag) {
	for _, flag := range flags {
		flag.Tag.Envs = nil
	}
}

// Validate has nothing to say.
func (e *environment) Validate(*kong.Application) error { return nil }

// Resolve is called for the flags that are not on the command line.
func (e *environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, variable := range flag.Envs {
		if value, _ := e.lookup(variable); value != "" {
			e.used[flag.Name] = variable
			return value, nil
		}
	}
	return nil, nil //nolint:nilnil // How a kong.Resolver says that it has no value.
}

// note remembers which flags were on the command line.
func (e *environment) note(ctx *kong.Context) {
	for _, path := range ctx.Path {
		if path.Flag != nil && !path.Resolved {
			e.given[path.Flag.Name] = true
		}
	}
}

// name is what set a flag: the flag itself, or its variable.
func (e *environment) name(flag string) string {
	if variable, ok := e.used[flag]; ok {
		return variable
	}
	return "--" + flag
}

// explain turns a complaint of kong's, which starts with a flag, into one that
// starts with the variable where that held the value.
func (e *environment) explain(complaint string) string {
	if strings.HasPrefix(complaint, "unexpected argument ") {
		// It may be the value of a mistyped flag, a secret's among them.
		return "unexpected argument: every value belongs to a flag, as in --flag=value"
	}
	text, ok := strings.CutPrefix(complaint, "--")
	end := strings.IndexAny(text, ": =")
	if !ok || end < 0 {
		return complaint
	}
	return e.name(text[:end]) + text[end:]
}
