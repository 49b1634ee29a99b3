package config

// Limits bound the resources that callers use, each and together. A limit per caller
// applies to named callers only: without authentication and client certificates all
// callers are the same one.
type Limits struct {
	Subscribers      int `name:"subscribers"        default:"10000" placeholder:"N" help:"Watch streams open at once (default ${default}; 0: no limit)."`
	Conferences      int `name:"conferences"        default:"1000"  placeholder:"N" help:"Conferences watched at once, including those that linger (default ${default}; 0: no limit)."`
	StreamsPerCaller int `name:"streams-per-caller" default:"1000"  placeholder:"N" help:"Watch streams open at once for one caller (default ${default}; 0: no limit)."`
	CallsPerSecond   int `name:"calls-per-second"   default:"100"   placeholder:"N" help:"Calls a second of one caller (default ${default}; 0: no limit)."`
}

func (c *Config) checkLimits(env *environment) error {
	l := c.Limits
	for _, limit := range []struct {
		flag  string
		value int
	}{
		{"max-subscribers", l.Subscribers},
		{"max-conferences", l.Conferences},
		{"max-streams-per-caller", l.StreamsPerCaller},
		{"max-calls-per-second", l.CallsPerSecond},
	} {
		if limit.value < 0 {
			return usageError("%s must not be negative but is %d", env.name(limit.flag), limit.value)
		}
	}
	return nil
}
