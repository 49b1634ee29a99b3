package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// environment replaces kong's reading of the process environment: tests inject one, and
// it records which flag or variable set a value, so that an error names it. An empty
// variable counts as unset.
type environment struct {
	variables map[string]string
	// used has the variable that set a flag, by flag.
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

// serviceVariable matches the variables that Kubernetes and Docker set for a service: a
// service named gateway has variables with our prefix.
var serviceVariable = regexp.MustCompile(`^[A-Z0-9_]+(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT_[0-9]+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)=|_PORT=[a-z]+://`)

// clientVariables are those of the commands for the terminal.
var clientVariables = []string{variablePrefix + "ADDR", variablePrefix + "KEY"}

// unknown returns the variables with our prefix that no flag has: they may be misspelled.
// One with the upstream prefix is an error, since upstream variables have another prefix.
func (e *environment) unknown(flags []*kong.Flag) (names []string, err error) {
	known := map[string]string{}
	for _, flag := range flags {
		known[variablePrefix+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))] = flag.Name
	}
	for _, name := range slices.Sorted(maps.Keys(e.variables)) {
		flag, isKnown := known[name]
		isUpstream := strings.HasPrefix(name, upstreamPrefix)
		switch {
		case !strings.HasPrefix(name, variablePrefix), e.variables[name] == "", serviceVariable.MatchString(name + "=" + e.variables[name]), isKnown && !isUpstream, slices.Contains(clientVariables, name):
		case isUpstream:
			return nil, usageError("%s is not a variable of the gateway: set %s", name, upstreamVariable(flags, flag))
		default:
			names = append(names, name)
		}
	}
	return names, nil
}

// upstreamVariable returns the variable of an upstream flag, or all of them if the flag
// does not exist.
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

// disableKongEnv stops kong from reading variables. Their names stay in Flag.Envs.
func disableKongEnv(flags []*kong.Flag) {
	for _, flag := range flags {
		flag.Tag.Envs = nil
	}
}

// Validate implements kong.Resolver.
func (e *environment) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag that is not on the command line.
func (e *environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, variable := range flag.Envs {
		if value := e.variables[variable]; value != "" {
			e.used[flag.Name] = variable
			return value, nil
		}
	}
	return nil, nil //nolint:nilnil // A kong.Resolver returns nil for no value.
}

// recordFlags records which flags were on the command line.
func (e *environment) recordFlags(ctx *kong.Context) {
	for _, path := range ctx.Path {
		if path.Flag != nil && !path.Resolved {
			e.given[path.Flag.Name] = true
		}
	}
}

// name returns what set a flag: the flag itself or its variable.
func (e *environment) name(flag string) string {
	if variable, ok := e.used[flag]; ok {
		return variable
	}
	return "--" + flag
}

// explain returns the text of a kong error. Where a variable set the value, it replaces
// the flag at the start by the variable.
func (e *environment) explain(message string) string {
	if strings.HasPrefix(message, "unexpected argument ") {
		// The argument may be a secret: the value of a mistyped flag.
		return "unexpected argument: every value belongs to a flag, as in --flag=value"
	}
	text, ok := strings.CutPrefix(message, "--")
	end := strings.IndexAny(text, ": =")
	if !ok || end < 0 {
		return message
	}
	return e.name(text[:end]) + text[end:]
}
