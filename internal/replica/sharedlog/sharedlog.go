// Package sharedlog keeps the logs of conferences in Redis, so that several replicas have one:
// commits in one order, each known to every replica, and one lease, whose holder alone polls.
//
// It does not know what it keeps: the caller encodes entries, members, marks and status, and
// folds them. Each method that changes something is one Lua script (scripts/*.lua), so that
// Redis does all of it or nothing. What a script refuses is an Outcome; an error says that
// Redis was not reached, and that the call may have run or not.
//
// The keys of a conference begin with log1:UPSTREAM:CONFERENCE, which is also its channel:
//
//	head     hash: the head, the Redis process it belongs to, floor, marks, status, ids of the last batches
//	members  hash: all members by id
//	entries  stream: the history; the ids are SEQ-0
//	clock    the logical clock; leases take their terms from it
//	lease    RUN_ID REPLICA TERM of the replica that polls, until the lease expires
//	present  sorted set: which replicas wait for the lease, by when that expires
//
// log1:UPSTREAM:leases is a hash: how many leases each replica holds.
//
// The scripts call DEL, GET, HDEL, HGET, HGETALL, HLEN, HMGET, HSET, INFO, PEXPIRE, PTTL,
// PUBLISH, SET, TIME, XADD, XLEN, XRANGE, XTRIM, ZADD, ZRANGE, ZREM and ZREMRANGEBYSCORE.
package sharedlog

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

// format is the version of the keys and of what they contain. Replicas of another version
// keep logs of their own.
const format = "log1"

// Observer receives the events of all logs, for metrics.
type Observer interface {
	// LeaseTaken is called when this replica has taken a lease. takeover reports that another
	// replica has committed the last list.
	LeaseTaken(takeover bool)
	// Refused is called for each batch that Redis has refused as too old: Fenced or TooOld.
	Refused(outcome Outcome)
}

// Options are what the logs of a replica need.
type Options struct {
	Conn *redisconn.Conn
	// Replica is the random id of this process. It has no spaces.
	Replica string
	// Upstream names the upstream whose conferences these are: part of each key.
	Upstream string
	Logger   *slog.Logger
	Observer Observer
}

// Logs are the logs of all conferences, as one replica uses them. Run must be running for
// leases and followers.
type Logs struct {
	conn     *redisconn.Conn
	replica  string
	logger   *slog.Logger
	observer Observer
	// prefix is what the keys of all logs begin with.
	prefix string
	ids    atomic.Uint64
	// retired reports that this replica leads no more.
	retired atomic.Bool

	// counting is locked while the number of held leases is sent to Redis, and read-locked while
	// one is taken or released, so that the number is right when it arrives.
	counting sync.RWMutex

	mu sync.Mutex
	// used are the logs that are followed, waited for or held, and how often.
	used map[*Log]int
}

// New returns the logs of a replica.
func New(o Options) *Logs {
	return &Logs{
		conn:     o.Conn,
		replica:  o.Replica,
		logger:   o.Logger,
		observer: o.Observer,
		prefix:   o.Conn.Key(format, o.Upstream),
		used:     map[*Log]int{},
	}
}

// NewID returns an id for a Batch. No replica returns it again.
func (l *Logs) NewID() string { return fmt.Sprintf("%s-%d", l.replica, l.ids.Add(1)) }

// Held returns how many leases this replica holds.
func (l *Logs) Held() int {
	held := 0
	for _, log := range l.inUse() {
		if log.held() != nil {
			held++
		}
	}
	return held
}

// use keeps a log among those that Run looks after, until the function returned is called.
func (l *Logs) use(log *Log) (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used[log]++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.used[log]--
		if l.used[log] == 0 {
			delete(l.used, log)
		}
	})
}

func (l *Logs) inUse() []*Log {
	l.mu.Lock()
	defer l.mu.Unlock()
	logs := make([]*Log, 0, len(l.used))
	for log := range l.used {
		logs = append(logs, log)
	}
	return logs
}

// Log is the log of one conference. A replica needs one Log a conference; Follow and Lead are
// called by one goroutine each.
type Log struct {
	logs *Logs
	keys keys
	// free wakes Lead: the lease may be free.
	free chan struct{}
	// ahead gives Follow the head that Redis had a moment ago.
	ahead chan Head

	mu      sync.Mutex
	lease   *Lease
	waiting bool
}

// keys are the names of a conference's keys, and of its channel.
type keys struct {
	channel, head, members, entries, clock, lease, present, counts string
}

// Open returns the log of a conference. It asks Redis nothing. The conference must not
// contain a colon.
func (l *Logs) Open(conference string) *Log {
	name := l.prefix + ":" + conference
	return &Log{
		logs: l,
		keys: keys{
			channel: name,
			head:    name + ":head",
			members: name + ":members",
			entries: name + ":entries",
			clock:   name + ":clock",
			lease:   name + ":lease",
			present: name + ":present",
			counts:  l.prefix + ":leases",
		},
		free:  make(chan struct{}, 1),
		ahead: make(chan Head, 1),
	}
}

func (l *Log) held() *Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lease
}

// Times that the scripts get.
const (
	// maxWriteAge is how long after its answer a write may reach the log (R7).
	maxWriteAge = 5 * time.Second
	// maxHistoryAge is how long entries are kept (W4).
	maxHistoryAge = 10 * time.Minute
)
