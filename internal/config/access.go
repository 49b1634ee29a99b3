package config

import (
	"net/url"
	"os"
)

// The modes of --auth.
const (
	AuthNone        = "none"
	AuthPassthrough = "passthrough"
	AuthKeys        = "keys"
	AuthOIDC        = "oidc"
)

// Access sets who may call.
type Access struct {
	Auth               string   `name:"auth"                 default:"none" enum:"none,passthrough,keys,oidc" placeholder:"MODE"   help:"Who may call: none (anyone), passthrough (anyone with an Audian token, which is sent upstream), keys (the callers in a file) or oidc (callers with a token of an issuer; default ${default})."`
	AuthKeysFile       string   `name:"auth-keys-file"                                                        placeholder:"FILE"   help:"File of --auth=keys, edited by 'server keys'. Reloaded on change."`
	OIDCIssuer         string   `name:"oidc-issuer"                                                           placeholder:"URL"    help:"Issuer of the tokens of --auth=oidc."`
	OIDCAudience       string   `name:"oidc-audience"                                                         placeholder:"NAME"   help:"Audience that a token must contain."`
	OIDCRoleClaim      string   `name:"oidc-role-claim"      default:"role"                                   placeholder:"CLAIM"  help:"Claim that contains viewer, reader or writer, as a string or in an array (default ${default})."`
	AllowedHosts       []string `name:"allowed-hosts"                                                         placeholder:"HOST"   help:"Host names besides loopback that HTTP requests may name: requests without authentication, and requests to the admin port."`
	CORSAllowedOrigins []string `name:"cors-allowed-origins"                                                  placeholder:"ORIGIN" help:"Origins such as https://app.example.com whose pages may call."`
	InsecureNoAuth     bool     `name:"insecure-no-auth"                                                                           help:"Allow --auth=none on addresses off loopback."`
	InsecurePlaintext  bool     `name:"insecure-plaintext"                                                                         help:"Allow plain text on addresses off loopback."`
}

// checkAccess reports missing settings of the mode, and settings that have no effect in it.
func (c *Config) checkAccess(env *environment) error {
	mode := "with --auth=" + c.Access.Auth
	if c.Access.Auth != AuthKeys {
		if err := c.refuseUnused(env, mode, []string{"auth-keys-file"}); err != nil {
			return err
		}
		c.Access.AuthKeysFile = ""
	}
	if c.Access.Auth != AuthOIDC {
		if err := c.refuseUnused(env, mode, []string{"oidc-issuer", "oidc-audience", "oidc-role-claim"}); err != nil {
			return err
		}
		c.Access.OIDCIssuer, c.Access.OIDCAudience, c.Access.OIDCRoleClaim = "", "", ""
	}
	switch c.Access.Auth {
	case AuthKeys:
		return checkKeysFile(env.name("auth-keys-file"), c.Access.AuthKeysFile)
	case AuthOIDC:
		return c.checkOIDC(env)
	default:
		return nil
	}
}

// checkKeysFile only opens the file: package keys reads it.
func checkKeysFile(name, file string) error {
	if file == "" {
		return usageError("--auth=keys needs --auth-keys-file; 'server keys add' creates one")
	}
	opened, err := os.Open(file) //nolint:gosec // The operator chooses the file.
	if err != nil {
		return usageError("%s: %v", name, err)
	}
	defer func() { _ = opened.Close() }() // It was only opened.
	if info, err := opened.Stat(); err != nil || info.IsDir() {
		return usageError("%s must be a file but is %q", name, file)
	}
	return nil
}

func (c *Config) checkOIDC(env *environment) error {
	a := c.Access
	switch {
	case a.OIDCIssuer == "":
		return usageError("--auth=oidc needs --oidc-issuer")
	case a.OIDCAudience == "":
		return usageError("--auth=oidc needs --oidc-audience: without it the gateway would accept tokens for other services")
	case a.OIDCRoleClaim == "":
		return usageError("%s must name a claim", env.name("oidc-role-claim"))
	}
	name := env.name("oidc-issuer")
	if err := checkURL(name, a.OIDCIssuer); err != nil {
		return err
	}
	if u, err := url.Parse(a.OIDCIssuer); err != nil || u.Scheme != "https" && !isLoopbackHost(u.Hostname()) {
		return usageError("%s must be https, or on loopback, but is %q: an attacker who changes its responses could call", name, a.OIDCIssuer)
	}
	return nil
}
