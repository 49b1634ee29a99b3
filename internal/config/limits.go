package config

// Limits bound what callers may take, so that one of them, or all together, cannot
// take the gateway from the others. A limit a caller holds for callers who have a
// name: without authentication or client certificates nobody can be told apart, and
// the limits of all are what there is.
type Limits struct {
	Subscribers      int `name:"subscribers"        default:"10000" placeholder:"N" help:"Watch streams open at once (default ${default}; 0: no limit)."`
	Conferences      int `name:"conferences"        default:"1000"  placeholder:"N" help:"Conferences watched at once, those that linger included (default ${default}; 0: no limit)."`
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
			return wrong("%s must not be negative but is %d", env.name(limit.flag), limit.value)
		}
	}
	return nil
}
