package redisconn

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Script is a Lua script that Redis runs as one step.
type Script struct {
	name   string
	script *redis.Script
}

// NewScript returns a script. The name labels it in metrics and errors.
func NewScript(name, source string) *Script {
	return &Script{name: name, script: redis.NewScript(source)}
}

// Run runs a script: by its hash, and by its source if Redis does not know the hash. It never
// runs a script twice. A nil result is the error redis.Nil.
func (c *Conn) Run(ctx context.Context, s *Script, keys []string, args ...any) (any, error) {
	return s.script.Run(withCall(ctx, s.name), c.client, keys, args...).Result() //nolint:wrapcheck // The hook has classified it.
}
