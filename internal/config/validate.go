package config

import (
	"strconv"
	"time"

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

const (
	minPollInterval = time.Millisecond
	// maxHistory is far beyond what ten minutes of a conference can hold (W4).
	maxHistory = 1_000_000
	// minStreamAge leaves a stream the time to begin.
	minStreamAge = 100 * time.Millisecond
	// maxDuration keeps sums and multiples of durations from overflowing.
	maxDuration = 30 * 24 * time.Hour
)

func (c *Config) checkNumbers(env *environment) error {
	f, d := c.Feed, c.Drain
	aged := f.MaxStreamAge
	for _, rule := range []struct {
		holds bool
		flag  string
		must  string
		value any
	}{
		{f.PollInterval >= minPollInterval, "poll-interval", "be at least " + minPollInterval.String(), f.PollInterval},
		{f.MaxPollInterval >= f.PollInterval, "max-poll-interval", "be at least the poll interval, " + f.PollInterval.String() + ",", f.MaxPollInterval},
		{f.PollRate >= 1 && f.PollRate <= 1000, "poll-rate", "be 1 to 1000", f.PollRate},
		{f.Linger >= 0, "linger", "not be negative", f.Linger},
		{f.History >= 1 && f.History <= maxHistory, "history", "be 1 to " + strconv.Itoa(maxHistory), f.History},
		{aged == 0 || aged >= minStreamAge, "max-stream-age", "be 0 (never) or at least " + minStreamAge.String(), aged},
		{d.Timeout > 0, "drain-timeout", "be more than 0", d.Timeout},
		{d.Delay >= 0, "drain-delay", "not be negative", d.Delay},
	} {
		if !rule.holds {
			return wrong("%s must %s but is %v", env.name(rule.flag), rule.must, rule.value)
		}
		if duration, ok := rule.value.(time.Duration); ok && duration > maxDuration {
			return wrong("%s must be at most %v but is %v", env.name(rule.flag), maxDuration, duration)
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
