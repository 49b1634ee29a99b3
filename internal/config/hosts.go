package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// hostName matches the syntax of a host name; it may still not resolve.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// numericEnd matches names that resolvers parse as an IPv4 address.
var numericEnd = regexp.MustCompile(`(^|\.)[0-9]+\.?$`)

const maxHostName = 254

func validHostName(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= maxHostName && hostName.MatchString(host) && !numericEnd.MatchString(host)
}

func validPort(port string) bool {
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0
}

// checkURL does not show a URL that may contain a password.
func checkURL(name, value string) error {
	if strings.Contains(value, "@") {
		return usageError("%s must not contain a user or password; its value is not shown", name)
	}
	if strings.ContainsAny(value, "?#") {
		return usageError("%s must have no query or fragment; its value is not shown", name)
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return usageError("%s must be an http or https URL but is %q", name, value)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return usageError("%s must not contain spaces but is %q", name, value)
	}
	if strings.HasSuffix(u.Host, ":") || u.Port() != "" && !validPort(u.Port()) {
		return usageError("%s must have a port of 1 to 65535, or none, but is %q", name, value)
	}
	if !validHostName(u.Hostname()) {
		return usageError("%s must name a host but is %q", name, value)
	}
	return nil
}

// defaultPorts has the port that browsers omit from an origin, by scheme. Origins of
// extensions and apps have no port.
var defaultPorts = map[string]string{
	"http": "80", "https": "443",
	"chrome-extension": "", "moz-extension": "", "safari-web-extension": "", "capacitor": "", "ionic": "",
}

// checkOrigins normalizes the origins to the form that browsers send, and refuses values
// that no browser sends.
func (c *Config) checkOrigins(env *environment) error {
	name := env.name("cors-allowed-origins")
	for i, value := range c.Access.CORSAllowedOrigins {
		if strings.Contains(value, "@") {
			return usageError("%s must not contain a user or password; its value is not shown", name)
		}
		origin, valid := originOf(value)
		if !valid {
			return usageError("%s must be origins such as https://app.example.com (no wildcard, no path, non-ASCII names in punycode) but contains %q", name, value)
		}
		c.Access.CORSAllowedOrigins[i] = origin
	}
	return nil
}

// originOf returns an origin as browsers send it: in lower case, without the default port.
func originOf(value string) (origin string, valid bool) {
	u, err := url.Parse(strings.TrimSuffix(value, "/"))
	if err != nil || u.Path != "" || u.Opaque != "" || strings.ContainsAny(value, "?#") {
		return "", false
	}
	defaultPort, isScheme := defaultPorts[u.Scheme]
	host := strings.ToLower(u.Hostname())
	if !isScheme || !validHostName(host) || strings.Contains(host, "%") || strings.HasSuffix(u.Host, ":") || u.Port() != "" && !validPort(u.Port()) {
		return "", false
	}
	if address, err := netip.ParseAddr(host); err == nil {
		host = address.String()
	}
	port := strings.TrimLeft(u.Port(), "0")
	if port == defaultPort {
		port = ""
	}
	return u.Scheme + "://" + joinHost(host, port), true
}

// joinHost is net.JoinHostPort for a port that may be empty.
func joinHost(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// checkHosts normalizes the names for comparison.
func (c *Config) checkHosts(env *environment) error {
	for i, value := range c.Access.AllowedHosts {
		host, port, hasPort := strings.Cut(value, ":")
		if strings.Contains(port, ":") { // An IPv6 address without a port.
			host, port, hasPort = value, "", false
		}
		host = strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
		if !validHostName(host) || hasPort && !validPort(port) {
			return usageError("%s must be host names such as gateway.example.com (no wildcard, non-ASCII names in punycode) but contains %q",
				env.name("allowed-hosts"), value)
		}
		c.Access.AllowedHosts[i] = joinHost(host, port)
	}
	return nil
}
