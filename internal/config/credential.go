package config

import (
	"os"
	"strings"

	"github.com/audian/participant-gateway/internal/redact"
)

// resolveCredential leaves exactly one upstream credential, or none with --demo and
// --auth=passthrough.
func (c *Config) resolveCredential(env *environment) error {
	switch {
	case c.Demo:
		err := c.refuseUnused(env, "with --demo, which brings its own upstream", upstreamFlags)
		c.Upstream = Upstream{AuthHeader: HeaderXAuthToken}
		return err
	case c.Access.Auth == AuthPassthrough:
		err := c.refuseUnused(env, "with --auth=passthrough, which sends the caller's own token", credentialFlags)
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

// refuseUnused refuses flags that have no effect. Variables may be set for another
// program, so it only adds those to Ignored.
func (c *Config) refuseUnused(env *environment, reason string, flags []string) error {
	for _, flag := range flags {
		if env.given[flag] {
			return usageError("--%s cannot be given %s", flag, reason)
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
	up.CredentialFrom = token
	if up.APIKey != "" {
		up.CredentialFrom = key
	}
	switch {
	case up.Token != "" && up.APIKey != "":
		return usageError("%s and %s are both set: the gateway has one upstream credential", token, key)
	case up.Token == "" && up.APIKey == "":
		return usageError("no upstream credential: set AUDIAN_API_KEY or AUDIAN_AUTH_TOKEN (or …_FILE), " +
			"let callers bring their own token with --auth=passthrough, or try the gateway without one with --demo")
	}
	return nil
}

// secret reads a secret from its file unless it is set directly, and returns the flag or
// variable that set it. The command line overrides the environment.
func (e *environment) secret(flag string, secret *redact.Secret, file string) (string, error) {
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
		return "", usageError("%s and %s are both set: one is enough", name, e.name(fileFlag))
	}
	if strings.ContainsFunc(secret.Reveal(), notHeaderSafe) {
		return "", usageError("%s must be printable ASCII without spaces; its value is not shown", name)
	}
	return name, nil
}

func readSecret(name, file string) (redact.Secret, error) {
	content, err := os.ReadFile(file) //nolint:gosec // The operator chooses the file.
	if err != nil {
		return "", usageError("%s: %v", name, err)
	}
	secret := redact.Secret(strings.TrimSpace(string(content)))
	if secret == "" {
		return "", usageError("%s: %q is empty", name, file)
	}
	return secret, nil
}

func notHeaderSafe(r rune) bool { return r <= ' ' || r > '~' }
