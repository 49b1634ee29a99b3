package redisconn

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// trial is a command that scripts use, with harmless arguments; KEY stands for a key that
// expires, and CHANNEL for a channel.
type trial []string

// trials are the commands that scripts use.
var trials = []trial{
	{"SET", "KEY", "0", "PX", "1000"},
	{"GET", "KEY"},
	{"EXISTS", "KEY"},
	{"INCR", "KEY"},
	{"INCRBY", "KEY", "1"},
	{"PEXPIRE", "KEY", "1000"},
	{"PTTL", "KEY"},
	{"DEL", "KEY"},
	{"HSET", "KEY", "f", "v"},
	{"HGET", "KEY", "f"},
	{"HMGET", "KEY", "f"},
	{"HGETALL", "KEY"},
	{"HINCRBY", "KEY", "n", "1"},
	{"HLEN", "KEY"},
	{"HDEL", "KEY", "f", "n"},
	{"XADD", "KEY", "1-0", "f", "v"},
	{"XRANGE", "KEY", "-", "+"},
	{"XREVRANGE", "KEY", "+", "-", "COUNT", "1"},
	{"XLEN", "KEY"},
	{"XTRIM", "KEY", "MINID", "2"},
	{"DEL", "KEY"},
	{"ZADD", "KEY", "1", "m"},
	{"ZSCORE", "KEY", "m"},
	{"ZCARD", "KEY"},
	{"ZRANGE", "KEY", "0", "0", "WITHSCORES"},
	{"ZREM", "KEY", "m"},
	{"ZREMRANGEBYSCORE", "KEY", "-inf", "1"},
	{"ZREMRANGEBYRANK", "KEY", "0", "-1"},
	{"ZCOUNT", "KEY", "-inf", "+inf"},
	{"DEL", "KEY"},
	{"TIME"},
	{"INFO", "server"},
	{"PUBLISH", "CHANNEL", ""},
}

// direct are the commands that the gateway sends outside scripts.
var direct = []string{"EVALSHA", "EVAL", "TIME", "INFO", "WAIT", "SUBSCRIBE", "UNSUBSCRIBE", "PING", "SELECT"}

// ACL returns the rules of a Redis user that may do what the gateway does, and no more. AUTH
// and HELLO need no rule.
func ACL(prefix string) []string {
	commands := make([]string, 0, len(direct)+len(trials))
	for _, name := range direct {
		commands = append(commands, "+"+strings.ToLower(name))
	}
	for _, t := range trials {
		commands = append(commands, "+"+strings.ToLower(t[0]))
	}
	slices.Sort(commands)
	return append([]string{"resetkeys", "resetchannels", "-@all", "~" + prefix + "*", "&" + prefix + "*"}, slices.Compact(commands)...)
}

// tryScript runs commands and returns the names and errors of those that fail. A WRONGTYPE
// follows from a command that failed before.
var tryScript = NewScript("try_commands", `
local failed = {}
local at = 1
while at <= #ARGV do
	local size = tonumber(ARGV[at])
	local reply = redis.pcall(unpack(ARGV, at + 1, at + size))
	if type(reply) == 'table' and reply.err and not string.find(reply.err, '^WRONGTYPE') then
		table.insert(failed, ARGV[at + 1])
		table.insert(failed, reply.err)
	end
	at = at + size + 1
end
redis.pcall('DEL', KEYS[1])
return failed
`)

// tryCommands returns an error that names the commands that Redis lacks or refuses.
func (c *Conn) tryCommands(ctx context.Context) error {
	limited, cancel := context.WithTimeout(nested(ctx), callTimeout)
	defer cancel()
	reply, err := c.Run(limited, tryScript, []string{c.Key("try")}, c.trialArgs()...)
	if err == nil {
		err = c.client.Wait(limited, 0, 0).Err()
	}
	if err != nil {
		return err
	}
	return failedTrials(reply)
}

// trialArgs are the arguments of tryScript: each command, with its length before it.
func (c *Conn) trialArgs() (args []any) {
	names := map[string]string{"KEY": c.Key("try"), "CHANNEL": c.baseChannel()}
	for _, t := range trials {
		args = append(args, len(t))
		for _, arg := range t {
			args = append(args, cmp.Or(names[arg], arg))
		}
	}
	return args
}

func failedTrials(reply any) error {
	pairs, _ := reply.([]any)
	if len(pairs) == 0 {
		return nil
	}
	var commands []string
	for pair := range slices.Chunk(pairs, 2) {
		commands = append(commands, fmt.Sprint(pair[0]))
	}
	slices.Sort(commands)
	// Redis adds the script and its line.
	reason, _, _ := strings.Cut(fmt.Sprint(pairs[1]), " script: ")
	return unfit(fmt.Sprintf("refuses the commands %s: %s", strings.Join(slices.Compact(commands), ", "), reason))
}
