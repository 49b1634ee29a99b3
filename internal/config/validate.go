package config

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// validate holds each value to its own rule and to its neighbours'.
func (c *Config) validate(env *environment) error {
	for _, check := range []func(*environment) error{
		c.checkReplicas, c.checkNumbers, c.checkRegion, c.checkOrigins, c.checkHosts, c.checkLimits, c.checkTLS, c.checkAccess,
		c.checkListeners, c.settleCredential, c.checkUpstream,
	} {
		if err := check(env); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkNumbers(env *environment) error {
	f, d := c.Feed, c.Drain
	for _, rule := range []struct {
		holds bool
		flag  string
		must  string
		value any
	}{
		{f.PollInterval > 0, "poll-interval", "be more than 0", f.PollInterval},
		{f.MaxPollInterval >= f.PollInterval, "max-poll-interval", "be at least the poll interval, " + f.PollInterval.String() + ",", f.MaxPollInterval},
		{f.PollRate >= 1 && f.PollRate <= 10, "poll-rate", "be 1 to 10", f.PollRate},
		{f.Linger >= 0, "linger", "not be negative", f.Linger},
		{f.History >= 1, "history", "be at least 1", f.History},
		{f.MaxStreamAge >= 0, "max-stream-age", "not be negative", f.MaxStreamAge},
		{d.Timeout > 0, "drain-timeout", "be more than 0", d.Timeout},
		{d.Delay >= 0, "drain-delay", "not be negative", d.Delay},
	} {
		if !rule.holds {
			return wrong("%s must %s but is %v", env.name(rule.flag), rule.must, rule.value)
		}
	}
	return nil
}

func (c *Config) checkRegion(env *environment) error {
	region := c.Phone.DefaultRegion
	if region != "" && phonenumbers.GetCountryCodeForRegion(region) == 0 {
		return wrong("%s must be a two-letter region such as US but is %q", env.name("default-region"), region)
	}
	return nil
}

// checkOrigins asks the judge that will hear them.
func (c *Config) checkOrigins(env *environment) error {
	for _, origin := range c.Access.CORSAllowedOrigins {
		if strings.Contains(origin, "@") {
			return wrong("%s must not hold a user or password; its value is not shown", env.name("cors-allowed-origins"))
		}
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			return wrong("%s must be origins such as https://app.example.com but holds %q", env.name("cors-allowed-origins"), origin)
		}
	}
	return nil
}

func (c *Config) checkHosts(env *environment) error {
	for _, host := range c.Access.AllowedHosts {
		if host == "" || strings.ContainsAny(host, "/*@ ") {
			return wrong("%s must be host names such as gateway.example.com but holds %q", env.name("allowed-hosts"), host)
		}
	}
	return nil
}

// checkUpstream comes when it is settled what of the upstream counts at all.
func (c *Config) checkUpstream(env *environment) error {
	if header := c.Upstream.AuthHeader; header != HeaderXAuthToken && header != HeaderBearer {
		return wrong("%s must be x-auth-token or bearer but is %q", env.name("upstream-auth-header"), header)
	}
	if c.Demo {
		return nil
	}
	return checkURL(env.name("upstream-url"), c.Upstream.URL)
}

// checkURL never shows a URL that may hold a password.
func checkURL(name, value string) error {
	if strings.Contains(value, "@") {
		return wrong("%s must not hold a user or password; its value is not shown", name)
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return wrong("%s must be an http or https URL but is %q", name, value)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return wrong("%s must have no query or fragment; its value is not shown", name)
	}
	return nil
}
