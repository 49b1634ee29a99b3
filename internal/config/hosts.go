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

// hostName is a name that a resolver could know. Whether it does shows when it is used.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// numericEnd is the end of what every resolver takes for an IPv4 address.
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

// checkURL never shows a URL that may hold a password.
func checkURL(name, value string) error {
	if strings.Contains(value, "@") {
		return wrong("%s must not hold a user or password; its value is not shown", name)
	}
	if strings.ContainsAny(value, "?#") {
		return wrong("%s must have no query or fragment; its value is not shown", name)
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return wrong("%s must be an http or https URL but is %q", name, value)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return wrong("%s must hold no blanks but is %q", name, value)
	}
	if strings.HasSuffix(u.Host, ":") || u.Port() != "" && !validPort(u.Port()) {
		return wrong("%s must have a port of 1 to 65535, or none, but is %q", name, value)
	}
	if !validHostName(u.Hostname()) {
		return wrong("%s must name a host but is %q", name, value)
	}
	return nil
}

// defaultPorts are those that browsers leave out of an origin, by the schemes of origins.
// Extensions and apps have origins without ports.
var defaultPorts = map[string]string{
	"http": "80", "https": "443",
	"chrome-extension": "", "moz-extension": "", "safari-web-extension": "", "capacitor": "", "ionic": "",
}

// checkOrigins puts the origins into the form in which browsers send them, and refuses
// what none sends.
func (c *Config) checkOrigins(env *environment) error {
	name := env.name("cors-allowed-origins")
	for i, value := range c.Access.CORSAllowedOrigins {
		if strings.Contains(value, "@") {
			return wrong("%s must not hold a user or password; its value is not shown", name)
		}
		origin, valid := originOf(value)
		if !valid {
			return wrong("%s must be origins such as https://app.example.com (no wildcard, no path, a name with other letters in punycode) but holds %q", name, value)
		}
		c.Access.CORSAllowedOrigins[i] = origin
	}
	return nil
}

// originOf is an origin as browsers send it: in lower case, without the default port.
func originOf(value string) (origin string, valid bool) {
	u, err := url.Parse(strings.TrimSuffix(value, "/"))
	if err != nil || u.Path != "" || u.Opaque != "" || strings.ContainsAny(value, "?#") {
		return "", false
	}
	usual, isScheme := defaultPorts[u.Scheme]
	host := strings.ToLower(u.Hostname())
	if !isScheme || !validHostName(host) || strings.Contains(host, "%") || strings.HasSuffix(u.Host, ":") || u.Port() != "" && !validPort(u.Port()) {
		return "", false
	}
	if address, err := netip.ParseAddr(host); err == nil {
		host = address.String()
	}
	port := strings.TrimLeft(u.Port(), "0")
	if port == usual {
		port = ""
	}
	return u.Scheme + "://" + joinHost(host, port), true
}

// joinHost is net.JoinHostPort where there may be no port.
func joinHost(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// checkHosts puts the names into the form in which they are compared.
func (c *Config) checkHosts(env *environment) error {
	for i, value := range c.Access.AllowedHosts {
		host, port, hasPort := strings.Cut(value, ":")
		if strings.Contains(port, ":") { // An address of IPv6 has colons of its own.
			host, port, hasPort = value, "", false
		}
		host = strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
		if !validHostName(host) || hasPort && !validPort(port) {
			return wrong("%s must be host names such as gateway.example.com (no wildcard, a name with other letters in punycode) but holds %q",
				env.name("allowed-hosts"), value)
		}
		c.Access.AllowedHosts[i] = joinHost(host, port)
	}
	return nil
}
