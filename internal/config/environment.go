package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// environment gives kong the values of variables in place of kong's own reading of
// the process's: it can be injected, and it remembers what came from where, so
// that a complaint names what its reader can change. An empty variable is unset.
type environment struct {
	variables map[string]string
	// used holds, by flag, the variable that its value was read from.
	used map[string]string
	// given are the flags on the command line.
	given map[string]bool
}

var _ kong.Resolver = (*environment)(nil)

func newEnvironment(environ []string) *environment {
	e := &environment{variables: map[string]string{}, used: map[string]string{}, given: map[string]bool{}}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		e.variables[name] = value
	}
	return e
}

const (
	variablePrefix = "GATEWAY_"
	upstreamPrefix = variablePrefix + "UPSTREAM_"
)

// serviceVariable matches what Kubernetes and Docker set for a service: one that is called
// gateway sets variables that begin as ours do.
var serviceVariable = regexp.MustCompile(`^[A-Z0-9_]+(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT_[0-9]+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)=|_PORT=[a-z]+://`)

// unknown names the variables that begin as ours do and are none, misspelt ones perhaps.
// One that is meant for the upstream is an error, since those have other names.
func (e *environment) unknown(flags []*kong.Flag) (names []string, err error) {
	known := map[string]string{}
	for _, flag := range flags {
		known[variablePrefix+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))] = flag.Name
	}
	for _, name := range slices.Sorted(maps.Keys(e.variables)) {
		flag, isKnown := known[name]
		isUpstream := strings.HasPrefix(name, upstreamPrefix)
		switch {
		case !strings.HasPrefix(name, variablePrefix), e.variables[name] == "", serviceVariable.MatchString(name + "=" + e.variables[name]), isKnown && !isUpstream:
		case isUpstream:
			return nil, wrong("%s is not a variable of the gateway: set %s", name, upstreamVariable(flags, flag))
		default:
			names = append(names, name)
		}
	}
	return names, nil
}

// upstreamVariable is the variable of an upstream flag, or all of them where there is no
// such flag.
func upstreamVariable(flags []*kong.Flag, name string) string {
	var all []string
	for _, flag := range flags {
		if flag.Name == name {
			return flag.Envs[0]
		}
		if strings.HasPrefix(flag.Name, "upstream-") {
			all = append(all, flag.Envs[0])
		}
	}
	return "one of " + strings.Join(all, ", ")
}

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
		if value := e.variables[variable]; value != "" {
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
