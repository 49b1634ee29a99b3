package config

import (
	"strings"

	"github.com/audian/participant-gateway/internal/policy"
)

// Policy is the calling policy of everybody (A14). A key can have further limits.
type Policy struct {
	AllowPrefix []string `name:"allow-prefix" placeholder:"PREFIX" help:"Prefix, such as +1, of the phone numbers in E.164 form that callers may dial; may be repeated (default: all)." sep:"none"`
	AddsPerDay  *int     `name:"adds-per-day" placeholder:"N"      help:"Adds that each caller may send in a day, which begins at midnight UTC (default: no limit)."`
}

// Rules returns the policy as its package has it.
func (p Policy) Rules() policy.Rules {
	rules := policy.Rules{Prefixes: p.AllowPrefix}
	if p.AddsPerDay != nil {
		rules.AddsPerDay = *p.AddsPerDay
	}
	return rules
}

// splitPrefixes splits prefixes at commas. An empty one is kept, so that it is refused: kong would
// take an empty value for no limit.
func splitPrefixes(values []string) (prefixes []string) {
	for _, value := range values {
		prefixes = append(prefixes, strings.Split(value, ",")...)
	}
	return prefixes
}

func (c *Config) checkPolicy(env *environment) error {
	c.Policy.AllowPrefix = splitPrefixes(c.Policy.AllowPrefix)
	for _, prefix := range c.Policy.AllowPrefix {
		if err := policy.CheckPrefix(prefix); err != nil {
			return usageError("%s: %v", env.name("allow-prefix"), err)
		}
	}
	if c.Policy.AddsPerDay == nil {
		return nil
	}
	if err := policy.CheckAddsPerDay(*c.Policy.AddsPerDay); err != nil {
		return usageError("%s: %v", env.name("adds-per-day"), err)
	}
	return nil
}
