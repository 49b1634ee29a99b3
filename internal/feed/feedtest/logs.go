package feedtest

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/roster/encoding"
)

const (
	// LeaseLife is how long a lease lasts that is not renewed.
	LeaseLife = 2400 * time.Millisecond
	// leadEvery is how often a free lease is looked for.
	leadEvery = 300 * time.Millisecond
	// maxWriteAge is how old a write may be that is appended.
	maxWriteAge = 5 * time.Second
)

// ErrAway is the error of calls of a store that is away.
var ErrAway = errors.New("the store is away")

// Store is a store of logs that several replicas share, in memory. It refuses what a store for
// replicas must refuse, and a test decides what is lost.
type Store struct {
	// ahead is by how much the store's clock is ahead.
	ahead time.Duration

	mu    sync.Mutex
	logs  map[participant.Key]*storedLog
	clock roster.LogicalTime
}

// storedLog is the log of one conference.
type storedLog struct {
	head      feed.Head
	roster    *roster.Roster
	entries   []feed.Entry
	floor     uint64
	status    *feed.Status
	holder    *fakeLease
	expires   time.Time
	followers map[*follower]struct{}
	// unreadable makes the log one that cannot be read.
	unreadable bool
	// Refused counts the drafts that were refused.
	refused int
}

// NewStore returns an empty store, whose clock is ahead of that of the replicas.
func NewStore(ahead time.Duration) *Store {
	return &Store{ahead: ahead, logs: map[participant.Key]*storedLog{}}
}

func (s *Store) now() time.Time { return time.Now().Add(s.ahead).UTC().Round(0) }

// Replica is one replica's access to a store. It implements feed.Logs.
type Replica struct {
	store *Store

	mu      sync.Mutex
	away    bool
	changed chan struct{}
	// lose makes the store forget to answer the next appends. delay is that of messages, answer
	// that of the answers to appends.
	lose    int
	delay   time.Duration
	answer  time.Duration
	retired bool
	// misreads is the epoch of the log that the replica cannot read.
	misreads feed.Epoch
	leases   map[*fakeLease]struct{}
}

var _ feed.Logs = (*Replica)(nil)

// Replica returns the access of another replica.
func (s *Store) Replica() *Replica {
	return &Replica{store: s, changed: make(chan struct{}), leases: map[*fakeLease]struct{}{}}
}

// SetAway cuts the replica off from the store, or connects it again. Messages are lost meanwhile.
func (r *Replica) SetAway(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away == away {
		return
	}
	r.away = away
	close(r.changed)
	r.changed = make(chan struct{})
}

// LoseAnswers makes the next n appends take effect without an answer.
func (r *Replica) LoseAnswers(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lose = n
}

// DelayMessages delays what the replica's followers receive.
func (r *Replica) DelayMessages(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = d
}

// Misread makes the replica unable to read the log of an epoch.
func (r *Replica) Misread(epoch feed.Epoch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.misreads = epoch
}

func (r *Replica) canRead(epoch feed.Epoch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.misreads != epoch || epoch == feed.Epoch{}
}

// DelayAnswers delays the answers to appends.
func (r *Replica) DelayAnswers(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = d
}

// Retire gives up the replica's leases for good.
func (r *Replica) Retire() {
	r.mu.Lock()
	r.retired = true
	leases := slices.Collect(maps.Keys(r.leases))
	r.mu.Unlock()
	for _, l := range leases {
		l.Release()
	}
}

// Leads returns how many leases the replica has, as it knows.
func (r *Replica) Leads() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.leases)
}

func (r *Replica) isAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.away
}

// takeLoss reports whether the answer of an append is lost.
func (r *Replica) takeLoss() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lose == 0 {
		return false
	}
	r.lose--
	return true
}

func (r *Replica) answerDelay() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answer
}

func (r *Replica) messageDelay() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delay
}

// Forget makes the store lose all logs and leases, as another process of it.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logs {
		followers := l.followers
		*l = storedLog{followers: followers}
		l.reload()
	}
}

// Spoil makes all logs unreadable.
func (s *Store) Spoil() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logs {
		l.unreadable = true
		l.reload()
	}
}

// Steal ends all leases. Their holders do not notice until a draft of theirs is refused, like
// processes that were stopped.
func (s *Store) Steal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logs {
		if l.holder != nil {
			l.holder.stolen, l.holder = true, nil
		}
	}
}

// Refused returns how many drafts the store has refused.
func (s *Store) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := 0
	for _, l := range s.logs {
		refused += l.refused
	}
	return refused
}

func (s *Store) log(key participant.Key) *storedLog {
	if s.logs[key] == nil {
		s.logs[key] = &storedLog{followers: map[*follower]struct{}{}}
	}
	return s.logs[key]
}

func (s *Store) tick(atLeast roster.LogicalTime) roster.LogicalTime {
	s.clock = max(s.clock, atLeast) + 1
	return s.clock
}

// Open implements feed.Logs.
func (r *Replica) Open(key participant.Key) feed.Log { return &sharedLog{replica: r, key: key} }

// Request implements feed.Logs.
func (r *Replica) Request(_ context.Context, key participant.Key, request feed.Request) {
	if r.isAway() {
		return
	}
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.store.log(key).send(feed.Update{Request: request})
}

// Reachable implements feed.Logs.
func (r *Replica) Reachable() (reachable bool, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.away, r.changed
}

// Ahead implements feed.Logs.
func (r *Replica) Ahead() time.Duration { return r.store.ahead }

// sharedLog implements feed.Log.
type sharedLog struct {
	replica *Replica
	key     participant.Key
}

func (l *sharedLog) Tick(_ context.Context, atLeast roster.LogicalTime) (roster.LogicalTime, error) {
	if l.replica.isAway() {
		return 0, ErrAway
	}
	s := l.replica.store
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tick(atLeast), nil
}

func (l *sharedLog) Append(_ context.Context, draft *feed.Draft) (feed.Result, error) {
	result, err := l.append(draft)
	if delay := l.replica.answerDelay(); delay > 0 {
		<-time.After(delay)
	}
	return result, err
}

func (l *sharedLog) append(draft *feed.Draft) (feed.Result, error) {
	if l.replica.isAway() {
		return feed.Result{}, ErrAway
	}
	s := l.replica.store
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log(l.key)
	if outcome := log.refusal(draft, s.now()); outcome != 0 {
		log.refused++
		if lease, ok := draft.Lease.(*fakeLease); ok && outcome == feed.Refused {
			lease.stop()
		}
		return feed.Result{Outcome: outcome, Head: log.head}, nil
	}
	tick := s.tick(draft.Clock)
	log.commit(l.key.Conference, draft, tick, s.now())
	if l.replica.takeLoss() {
		return feed.Result{}, ErrAway
	}
	return feed.Result{Outcome: feed.Appended, Head: log.head, Tick: tick}, nil
}

// refusal returns why a draft must not be appended; 0 if it may be.
func (l *storedLog) refusal(draft *feed.Draft, now time.Time) feed.Outcome {
	missing := l.roster == nil || l.unreadable
	switch {
	case draft.Lease != nil && (l.holder == nil || draft.Lease != feed.Lease(l.holder)):
		return feed.Refused
	case draft.Lease == nil && now.Sub(draft.Answered) > maxWriteAge:
		return feed.Refused
	case missing && draft.Base == nil:
		return feed.Missing
	case !missing && draft.Expected != l.head:
		return feed.Conflict
	default:
		return 0
	}
}

// commit appends a draft.
func (l *storedLog) commit(conference string, draft *feed.Draft, tick roster.LogicalTime, now time.Time) {
	listed := draft.Status != nil && draft.Status.Listed
	if draft.Status != nil {
		l.status = draft.Status
	}
	batch := decoded(conference, draft.Batch)
	if draft.Base != nil {
		base := decoded(conference, *draft.Base)
		l.begin(conference, base, tick, listed)
		return
	}
	if listed {
		batch.Marks.LastList = tick
	} else {
		batch.Marks = l.roster.Marks()
	}
	l.roster.Apply(batch)
	l.head.Commits++
	if !batch.Empty() {
		l.head.Seq++
	}
	if len(batch.Changes) > 0 {
		l.entries = append(l.entries, feed.Entry{Batch: batch.Visible(), Seq: l.head.Seq, At: now})
	}
	l.floor = max(l.floor, draft.Floor)
	l.entries = slices.DeleteFunc(slices.Clone(l.entries), func(e feed.Entry) bool { return e.Seq <= l.floor })
	l.send(feed.Update{Commit: &feed.Commit{Head: l.head, Tick: tick, At: now, Batch: batch, Status: draft.Status}})
}

// begin begins a new log.
func (l *storedLog) begin(conference string, base roster.Batch, tick roster.LogicalTime, listed bool) {
	if listed {
		base.Marks.LastList = tick
	}
	l.roster, l.entries, l.unreadable = roster.New(conference), nil, false
	l.roster.Apply(base)
	l.head = feed.Head{Position: feed.Position{Seq: 1}, Commits: 1}
	l.floor = 1
	_, _ = rand.Read(l.head.Epoch[:])
	l.reload()
}

// decoded returns a batch as it comes out of a store.
func decoded(conference string, batch roster.Batch) roster.Batch {
	data, err := encoding.EncodeBatch(batch)
	if err != nil {
		panic(err)
	}
	batch, err = encoding.DecodeBatch(conference, data)
	if err != nil {
		panic(err)
	}
	return batch
}

// send queues an update for all followers.
func (l *storedLog) send(u feed.Update) {
	for f := range l.followers {
		f.queue(u)
	}
}

// reload lets all followers load the log.
func (l *storedLog) reload() { l.send(feed.Update{}) }

func (l *storedLog) snapshot() feed.Snapshot {
	switch {
	case l.unreadable:
		return feed.Snapshot{State: feed.Unreadable, Head: l.head}
	case l.roster == nil:
		return feed.Snapshot{State: feed.Absent}
	default:
		return feed.Snapshot{
			State: feed.Loaded, Head: l.head, Roster: l.roster.Base(), Entries: slices.Clone(l.entries), Floor: l.floor, Status: l.status,
		}
	}
}

func (l *sharedLog) Load(_ context.Context, since feed.Head) (feed.Snapshot, error) {
	if l.replica.isAway() {
		return feed.Snapshot{}, ErrAway
	}
	s := l.replica.store
	s.mu.Lock()
	defer s.mu.Unlock()
	snapshot := s.log(l.key).snapshot()
	if snapshot.State == feed.Loaded && !l.replica.canRead(snapshot.Head.Epoch) {
		return feed.Snapshot{State: feed.Unreadable, Head: snapshot.Head}, nil
	}
	if snapshot.State == feed.Loaded && snapshot.Head == since {
		return feed.Snapshot{State: feed.Unchanged, Head: since}, nil
	}
	return snapshot, nil
}

// follower is one feed that follows a log.
type follower struct {
	mu      sync.Mutex
	updates []delayed
	// lost reports that messages were lost: the log must be loaded.
	lost    bool
	wake    chan struct{}
	replica *Replica
}

// delayed is an update that arrives at a time.
type delayed struct {
	feed.Update

	at time.Time
}

func (f *follower) queue(u feed.Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.replica.isAway() {
		f.lost = true
		return
	}
	f.updates = append(f.updates, delayed{Update: u, at: time.Now().Add(f.replica.messageDelay())})
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// next returns the next update; load demands to load the log.
func (f *follower) next() (u delayed, load, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost && !f.replica.isAway() {
		f.lost, f.updates = false, nil
		return u, true, true
	}
	if f.lost || len(f.updates) == 0 {
		return u, false, false
	}
	u, f.updates = f.updates[0], f.updates[1:]
	return u, u.Snapshot == nil && u.Commit == nil && u.Request == 0, true
}

func (f *follower) loseAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = true
}

// Follow implements feed.Log.
func (l *sharedLog) Follow(ctx context.Context, receive func(feed.Update)) {
	f := l.join()
	defer l.leave(f)
	head := feed.Head{}
	for ctx.Err() == nil {
		u, load, ok := f.next()
		switch {
		case !ok:
			f.wait(ctx)
		case load:
			snapshot, err := l.Load(ctx, feed.Head{})
			if err != nil {
				f.loseAll()
				continue
			}
			head = snapshot.Head
			if delay := l.replica.messageDelay(); delay > 0 {
				<-time.After(delay)
			}
			receive(feed.Update{Snapshot: &snapshot})
		case !u.arrives(ctx):
			return
		case u.Commit == nil:
			receive(u.Update)
		case u.Commit.Head.Epoch == head.Epoch && u.Commit.Head.Commits == head.Commits+1:
			head = u.Commit.Head
			receive(u.Update)
		} // Else the log was loaded later than the commit.
	}
}

func (l *sharedLog) join() *follower {
	f := &follower{wake: make(chan struct{}, 1), lost: true, replica: l.replica}
	s := l.replica.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log(l.key).followers[f] = struct{}{}
	return f
}

func (l *sharedLog) leave(f *follower) {
	s := l.replica.store
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.log(l.key).followers, f)
}

// wait waits for an update, or until the replica is cut off or connected again: then messages
// may have been lost.
func (f *follower) wait(ctx context.Context) {
	_, changed := f.replica.Reachable()
	select {
	case <-f.wake:
	case <-changed:
		f.loseAll()
	case <-ctx.Done():
	}
}

// arrives waits until the update arrives. It returns false if ctx ends before.
func (d delayed) arrives(ctx context.Context) bool {
	wait := time.Until(d.at)
	if wait <= 0 {
		// A timer that has expired already can crash the race detector in a synctest bubble (Go issue 78156).
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Lead implements feed.Log.
func (l *sharedLog) Lead(ctx context.Context) (feed.Lease, error) {
	for {
		if lease := l.take(ctx); lease != nil {
			go lease.keep()
			return lease, nil
		}
		select {
		case <-time.After(leadEvery):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take takes the lease if it is free.
func (l *sharedLog) take(ctx context.Context) *fakeLease {
	r := l.replica
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away || r.retired || ctx.Err() != nil {
		return nil
	}
	log := r.store.log(l.key)
	if log.holder != nil && time.Now().Before(log.expires) {
		return nil
	}
	lease := &fakeLease{log: l, head: log.head}
	lease.ctx, lease.stop = context.WithCancel(ctx)
	log.holder, log.expires = lease, time.Now().Add(LeaseLife)
	r.leases[lease] = struct{}{}
	return lease
}

// fakeLease implements feed.Lease.
type fakeLease struct {
	log  *sharedLog
	head feed.Head
	ctx  context.Context //nolint:containedctx // A lease is a time in which to work.
	stop context.CancelFunc
	// stolen reports that the lease has ended without the holder's knowledge.
	stolen bool
}

func (l *fakeLease) Context() context.Context { return l.ctx }

func (l *fakeLease) Head() feed.Head { return l.head }

// Release implements feed.Lease.
func (l *fakeLease) Release() {
	l.stop()
	r := l.log.replica
	r.mu.Lock()
	delete(r.leases, l)
	away := r.away
	r.mu.Unlock()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if log := r.store.log(l.log.key); log.holder == l && !away {
		log.holder = nil
	}
}

// keep renews the lease, until it is lost or released.
func (l *fakeLease) keep() {
	renewed := time.Now()
	for l.ctx.Err() == nil {
		select {
		case <-time.After(LeaseLife / 3):
		case <-l.ctx.Done():
			return
		}
		switch held := l.renew(); {
		case held:
			renewed = time.Now()
		case !l.log.replica.isAway() || time.Since(renewed) >= LeaseLife:
			l.Release()
		}
	}
}

func (l *fakeLease) renew() bool {
	if l.log.replica.isAway() {
		return false
	}
	s := l.log.replica.store
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log(l.log.key)
	if log.holder != l {
		return l.stolen
	}
	log.expires = time.Now().Add(LeaseLife)
	return true
}
