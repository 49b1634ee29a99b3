package sharedlog

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Update is what a follower gets: a snapshot or a commit.
type Update struct {
	// Snapshot replaces what the follower has. The first update is one, also of an absent
	// log. Later ones follow when messages were lost or a new log has begun.
	Snapshot *Snapshot
	// Commit follows directly the head of the update before.
	Commit *Commit
	// Asked is what a replica has asked for; 0 in other updates.
	Asked byte
}

const (
	// queuedMessages is how many messages a follower may have to apply. If there are more,
	// it loads the log.
	queuedMessages = 256
	// messageDelay is how much later than the answer of a call a message may arrive that
	// was published before.
	messageDelay = 50 * time.Millisecond
	// retryAfter is how long after an error of Redis it is tried again.
	retryAfter = 300 * time.Millisecond
)

// freeMessage is what a message begins with when a lease is free: for all replicas, or for
// one.
var freeMessage = []byte("4:free")

// askMessage is what a message begins with in which a replica asks for something.
var askMessage = []byte("3:ask")

// Follow calls receive with the log and then with each commit, in order and without a gap,
// from this goroutine, until ctx ends. While Redis is away there are no updates. A Log has
// at most one follower.
func (l *Log) Follow(ctx context.Context, receive func(Update)) {
	done := l.logs.use(l)
	defer done()
	f := &follower{log: l, receive: receive, messages: make(chan []byte, queuedMessages), reload: make(chan struct{}, 1)}
	cancel := l.logs.conn.Subscribe(l.keys.channel, func() { notify(f.reload) }, f.queue)
	defer cancel()
	f.run(ctx)
}

// follower applies the messages of one log.
type follower struct {
	log      *Log
	receive  func(Update)
	messages chan []byte
	// reload demands to load the log: messages may have been lost.
	reload chan struct{}
	// started reports that a snapshot was received, and head what was received last.
	started bool
	head    Head
	// target is a head that Redis has; late fires when its message should have arrived.
	target Head
	late   <-chan time.Time
	// retry fires when the log must be loaded again after an error.
	retry <-chan time.Time
}

// queue takes a message from the connection. It does not block.
func (f *follower) queue(message []byte) {
	if bytes.HasPrefix(message, freeMessage) {
		f.log.noticeFree(message)
		return
	}
	select {
	case f.messages <- message:
	default:
		notify(f.reload)
	}
}

// noticeFree wakes Lead, unless the lease is left to another replica.
func (l *Log) noticeFree(message []byte) {
	m := unpack(message[len(freeMessage):])
	if name := m.text(); m.err == nil && (name == "" || name == l.logs.replica) {
		notify(l.free)
	}
}

func (f *follower) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.reload:
			f.load(ctx)
		case <-f.retry:
			f.load(ctx)
		case message := <-f.messages:
			f.take(ctx, message)
		case head := <-f.log.ahead:
			f.awaitHead(head)
		case <-f.late:
			f.late = nil
			if f.lacks(f.target) {
				f.load(ctx)
			}
		}
	}
}

// load loads the log, and again after a time if Redis did not answer.
func (f *follower) load(ctx context.Context) {
	f.retry = nil
	snapshot, err := f.log.Load(ctx, f.head)
	switch {
	case err != nil:
		f.retry = time.After(retryAfter)
	case snapshot.State == Loaded || snapshot.State == Unreadable || !f.started:
		f.started, f.head = true, snapshot.Head
		f.receive(Update{Snapshot: &snapshot})
	}
}

// Ask passes a request, which is not 0, to all followers of the log.
func (l *Log) Ask(ctx context.Context, request byte) error {
	message := append(bytes.Clone(askMessage), request)
	if err := l.logs.conn.Client().Publish(ctx, l.keys.channel, message).Err(); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	return nil
}

func (f *follower) take(ctx context.Context, message []byte) {
	if request, asked := bytes.CutPrefix(message, askMessage); asked {
		if f.started && len(request) == 1 {
			f.receive(Update{Asked: request[0]})
		}
		return
	}
	f.apply(ctx, message)
}

// apply applies a message if it is the next commit. If commits between are missing, or the
// message is of another log, it loads the log.
func (f *follower) apply(ctx context.Context, message []byte) {
	commit, err := readCommit(message)
	if err != nil {
		f.log.logs.logger.WarnContext(ctx, "message of a log cannot be read", slog.String("error", err.Error()))
	}
	switch {
	case err != nil || commit.Head.Epoch != f.head.Epoch || commit.Head.Commits > f.head.Commits+1:
		f.load(ctx)
	case commit.Head.Commits > f.head.Commits:
		f.head = commit.Head
		f.receive(Update{Commit: &commit})
	}
}

// awaitHead gives the messages up to a head some time to arrive.
func (f *follower) awaitHead(head Head) {
	if f.late == nil && f.lacks(head) {
		f.target, f.late = head, time.After(messageDelay)
	}
}

func (f *follower) lacks(head Head) bool {
	return head.Epoch != f.head.Epoch || head.Commits > f.head.Commits
}

// expect passes a head that Redis had a moment ago to the follower.
func (l *Log) expect(head Head) {
	if head == (Head{}) {
		return
	}
	select {
	case l.ahead <- head:
	default: // The follower has one to look at; the next call of keep brings a later one.
	}
}

// readCommit reads a message of append.lua. Of a new log it has only the head.
func readCommit(message []byte) (Commit, error) {
	f := unpack(message)
	kind := f.text()
	commit := Commit{Head: f.head()}
	if kind == "commit" {
		commit.Floor, commit.At, commit.Tick, commit.ID = f.number(), f.time(), f.number(), f.text()
		commit.Changes, commit.Entry = int(f.number()), f.bytes()
		commit.Marks, commit.Status = f.bytes(), f.bytes()
		commit.Members = f.members(f.number())
		commit.Forgotten = f.rest()
	}
	return commit, f.err
}

// notify wakes the receiver of a channel with capacity 1, unless it is notified already.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
