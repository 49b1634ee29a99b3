package config

import (
	"os"
	"strings"
)

// settleCredential leaves exactly one upstream credential, or none where none is
// wanted.
func (c *Config) settleCredential(env *environment) error {
	switch {
	case c.Demo:
		err := c.doWithout(env, "with --demo, which brings its own upstream", upstreamFlags)
		c.Upstream = Upstream{AuthHeader: HeaderXAuthToken}
		return err
	case c.Access.Auth == AuthPassthrough:
		err := c.doWithout(env, "with --auth=passthrough, which sends the caller's own token", credentialFlags)
		c.Upstream = Upstream{URL: c.Upstream.URL, AuthHeader: c.Upstream.AuthHeader}
		return err
	default:
		return c.readCredential(env)
	}
}

var (
	credentialFlags = []string{"upstream-token", "upstream-token-file", "upstream-api-key", "upstream-api-key-file"}
	upstreamFlags   = append([]string{"upstream-url", "upstream-auth-header"}, credentialFlags...)
)

// doWithout takes care that nothing is silently of no use: flags are refused,
// variables, which may be there for somebody else, named in Ignored.
func (c *Config) doWithout(env *environment, why string, flags []string) error {
	for _, flag := range flags {
		if env.given[flag] {
			return wrong("--%s cannot be given %s", flag, why)
		}
		if variable, ok := env.used[flag]; ok {
			c.Ignored = append(c.Ignored, variable)
		}
	}
	return nil
}

func (c *Config) readCredential(env *environment) error {
	up := &c.Upstream
	token, err := env.secret("upstream-token", &up.Token, up.TokenFile)
	if err != nil {
		return err
	}
	key, err := env.secret("upstream-api-key", &up.APIKey, up.APIKeyFile)
	if err != nil {
		return err
	}
	switch {
	case up.Token != "" && up.APIKey != "":
		return wrong("%s and %s are both set: the gateway has one upstream credential", token, key)
	case up.Token == "" && up.APIKey == "":
		return wrong("no upstream credential: set AUDIAN_API_KEY or AUDIAN_AUTH_TOKEN (or …_FILE), " +
			"let callers bring their own token with --auth=passthrough, or try the gateway without one with --demo")
	}
	return nil
}

// secret settles a secret that is given itself or in a file, and names the flag or
// variable that gave it. As everywhere, the command line goes before the
// environment.
func (e *environment) secret(flag string, secret *Secret, file string) (string, error) {
	name, fileFlag := e.name(flag), flag+"-file"
	switch {
	case file == "":
	case *secret == "", e.given[fileFlag] && !e.given[flag]:
		name = e.name(fileFlag)
		read, err := readSecret(name, file)
		if err != nil {
			return "", err
		}
		*secret = read
	case e.given[fileFlag] == e.given[flag]:
		return "", wrong("%s and %s are both set: one is enough", name, e.name(fileFlag))
	}
	if strings.ContainsFunc(secret.Reveal(), unfitForHeader) {
		return "", wrong("%s must be printable ASCII without spaces; its value is not shown", name)
	}
	return name, nil
}

func readSecret(name, file string) (Secret, error) {
	content, err := os.ReadFile(file) //nolint:gosec // Which file is the operator's to say.
	if err != nil {
		return "", wrong("%s: %v", name, err)
	}
	secret := Secret(strings.TrimSpace(string(content)))
	if secret == "" {
		return "", wrong("%s: %q is empty", name, file)
	}
	return secret, nil
}

func unfitForHeader(r rune) bool { return r <= ' ' || r > '~' }
