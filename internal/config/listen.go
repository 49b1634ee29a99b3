package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// checkListeners refuses callers without authentication, and credentials in plain text,
// on addresses off loopback, unless an --insecure flag allows it. The admin address
// receives no credentials.
func (c *Config) checkListeners(env *environment) error {
	taken := map[string]string{}
	for _, listener := range []struct {
		flag, addr string
		callers    bool
	}{
		{"grpc-addr", c.Listen.GRPC, true},
		{"http-addr", c.Listen.HTTP, true},
		{"admin-addr", c.Listen.Admin, false},
	} {
		name := env.name(listener.flag)
		if !validAddress(listener.addr) {
			return usageError("%s must be host:port but is %q", name, listener.addr)
		}
		if other := taken[listener.addr]; other != "" && !strings.HasSuffix(listener.addr, ":0") {
			return usageError("%s is %q, which is that of %s", name, listener.addr, other)
		}
		taken[listener.addr] = name
		if !listener.callers || isLoopback(listener.addr) {
			continue
		}
		if missing := c.missingInsecureFlags(); missing != "" {
			return usageError("%s is %q, which others can reach: that needs %s", name, listener.addr, missing)
		}
	}
	return nil
}

// missingInsecureFlags returns the flags that an address off loopback still needs.
func (c *Config) missingInsecureFlags() string {
	var flags []string
	if c.Access.Auth == AuthNone && !c.TLS.VerifiesClients() && !c.Access.InsecureNoAuth {
		flags = append(flags, "--insecure-no-auth (callers are not authenticated)")
	}
	if !c.TLS.On() && !c.Access.InsecurePlaintext {
		flags = append(flags, "--insecure-plaintext (credentials travel in plain text)")
	}
	return strings.Join(flags, " and ")
}

func validAddress(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !validHost(host) {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func validHost(host string) bool { return host == "" || validHostName(host) }

// isLoopback reports whether only this machine can reach the address. A name other than
// localhost may resolve to any address.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	return isLoopbackHost(host)
}

func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
