package sharedclaims

import (
	"strconv"
	"time"
)

// reply is what a script returns: a word, and values.
type reply []any

func replyOf(value any) reply {
	r, _ := value.([]any)
	return r
}

func (r reply) word() string { return r.text(0) }

func (r reply) text(i int) string {
	if i >= len(r) {
		return ""
	}
	switch v := r[i].(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	default:
		return ""
	}
}

func (r reply) number(i int) int64 {
	n, _ := strconv.ParseInt(r.text(i), 10, 64)
	return n
}

// time returns a time in milliseconds; zero if there is none.
func (r reply) time(i int) time.Time {
	if n := r.number(i); n > 0 {
		return time.UnixMilli(n)
	}
	return time.Time{}
}
