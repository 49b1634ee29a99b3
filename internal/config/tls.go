package config

import "crypto/tls"

// TLS is the certificate of the gRPC and HTTP ports and the authorities of client
// certificates. The gateway reloads the files when they change.
type TLS struct {
	CertFile     string `name:"cert-file"      placeholder:"FILE" help:"File with the certificate of the gRPC and HTTP ports, and its chain (PEM); empty: plain text. Reloaded on change."`
	KeyFile      string `name:"key-file"       placeholder:"FILE" help:"File with the certificate's key (PEM)."`
	ClientCAFile string `name:"client-ca-file" placeholder:"FILE" help:"File with the authorities (PEM) of client certificates, which are then required; with --auth=none they name the callers."`
}

// On reports whether the ports use TLS.
func (t TLS) On() bool { return t.CertFile != "" }

// VerifiesClients reports whether the ports require client certificates.
func (t TLS) VerifiesClients() bool { return t.ClientCAFile != "" }

// checkTLS refuses files that cannot be used before anything listens.
func (c *Config) checkTLS(env *environment) error {
	t := c.TLS
	cert, key, authorities := env.name("tls-cert-file"), env.name("tls-key-file"), env.name("tls-client-ca-file")
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		return usageError("%s needs --tls-key-file", cert)
	case t.CertFile == "" && t.KeyFile != "":
		return usageError("%s needs --tls-cert-file", key)
	case t.CertFile == "" && t.ClientCAFile != "":
		return usageError("%s needs --tls-cert-file and --tls-key-file", authorities)
	case t.CertFile == "":
		return nil
	}
	if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
		return usageError("%s and %s cannot be used: %v", cert, key, err)
	}
	if !t.VerifiesClients() {
		return nil
	}
	return checkAuthorities(authorities, t.ClientCAFile)
}
