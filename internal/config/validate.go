package config

import (
	"strconv"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// validate checks each value, and values that depend on each other.
func (c *Config) validate(env *environment) error {
	for _, check := range []func(*environment) error{
		c.checkReplicas, c.checkNumbers, c.checkRegion, c.checkOrigins, c.checkHosts, c.checkLimits, c.checkTLS, c.checkAccess, c.checkPolicy,
		c.checkListeners, c.resolveCredential, c.checkUpstream, c.resolveTracing,
	} {
		if err := check(env); err != nil {
			return err
		}
	}
	return nil
}

const (
	minPollInterval = time.Millisecond
	// maxHistory is far above the changes of a conference in ten minutes (W4).
	maxHistory = 1_000_000
	// minStreamAge lets a stream send its first message.
	minStreamAge = 100 * time.Millisecond
	// maxDuration prevents an overflow of sums and multiples of durations.
	maxDuration = 30 * 24 * time.Hour
)

func (c *Config) checkNumbers(env *environment) error {
	f, d := c.Feed, c.Drain
	age := f.MaxStreamAge
	for _, rule := range []struct {
		valid bool
		flag  string
		must  string
		value any
	}{
		{f.PollInterval >= minPollInterval, "poll-interval", "be at least " + minPollInterval.String(), f.PollInterval},
		{f.MaxPollInterval >= f.PollInterval, "max-poll-interval", "be at least the poll interval, " + f.PollInterval.String() + ",", f.MaxPollInterval},
		{f.PollRate >= 1 && f.PollRate <= 1000, "poll-rate", "be 1 to 1000", f.PollRate},
		{f.Linger >= 0, "linger", "not be negative", f.Linger},
		{f.History >= 1 && f.History <= maxHistory, "history", "be 1 to " + strconv.Itoa(maxHistory), f.History},
		{age == 0 || age >= minStreamAge, "max-stream-age", "be 0 (never) or at least " + minStreamAge.String(), age},
		{d.Timeout > 0, "drain-timeout", "be more than 0", d.Timeout},
		{d.Delay >= 0, "drain-delay", "not be negative", d.Delay},
	} {
		if !rule.valid {
			return usageError("%s must %s but is %v", env.name(rule.flag), rule.must, rule.value)
		}
		if duration, ok := rule.value.(time.Duration); ok && duration > maxDuration {
			return usageError("%s must be at most %v but is %v", env.name(rule.flag), maxDuration, duration)
		}
	}
	return nil
}

func (c *Config) checkRegion(env *environment) error {
	region := c.Phone.DefaultRegion
	if region != "" && phonenumbers.GetCountryCodeForRegion(region) == 0 {
		return usageError("%s must be a two-letter region such as US but is %q", env.name("default-region"), region)
	}
	return nil
}

// checkUpstream comes after resolveCredential, which clears settings without effect.
func (c *Config) checkUpstream(env *environment) error {
	if header := c.Upstream.AuthHeader; header != HeaderXAuthToken && header != HeaderBearer {
		return usageError("%s must be x-auth-token or bearer but is %q", env.name("upstream-auth-header"), header)
	}
	if c.Demo {
		return nil
	}
	return checkURL(env.name("upstream-url"), c.Upstream.URL)
}
