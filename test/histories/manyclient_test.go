package histories_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/internal/wire"
	"github.com/audian/participant-gateway/test/watchmodel"
)

// many is a client that watches ten conferences through one stream. Each has a client of its own,
// which applies and checks its messages as those of a stream of its own.
type many struct {
	seen     *counts
	history  manyHistory
	upstream *simulator.Simulator
	gateway  *gateway
	clients  map[string]*client
	stream   *manyStream

	notReadingUntil atomic.Int64
}

// manyStream is a gRPC stream without a connection.
type manyStream struct {
	grpc.ServerStream

	many  *many
	ctx   context.Context
	stop  context.CancelFunc
	ended chan struct{}
	err   error
}

func (s *manyStream) Context() context.Context { return s.ctx }

func nameOfConference(i int) string { return fmt.Sprintf("c%d", i) }

// runMany runs a history to its end and returns the first failure.
func runMany(h manyHistory, seen *counts) error {
	m, err := newMany(h, seen)
	if err != nil {
		return err
	}
	m.open(-1)
	for _, s := range h.Steps {
		m.advance(s.Pause)
		manyOperations[s.Kind](m, s)
		if m.failed() != nil {
			break
		}
	}
	m.rest()
	m.close()
	m.gateway.close()
	seen.add(historyPlayed)
	return m.failed()
}

func newMany(h manyHistory, seen *counts) (*many, error) {
	m := &many{seen: seen, history: h, clients: map[string]*client{}}
	options := simulator.Options{TimeScale: 3, Behaviour: simulator.Steady, KnownOnly: true, NoAdminAPI: true}
	for i := range conferencesOfOne - 1 {
		options.Conferences = append(options.Conferences, nameOfConference(i))
	}
	m.upstream = simulator.New(options)
	common := history{HistoryLimit: h.HistoryLimit, Linger: 30 * time.Second}
	var err error
	if m.gateway, err = newGateway(common, m.upstream.Transport(), m); err != nil {
		return nil, err
	}
	for i := range conferencesOfOne {
		name := nameOfConference(i)
		own := &gateway{Service: m.gateway.Service, conference: name, hub: m.gateway.hub, writer: m.gateway.writer}
		c := &client{conference: name, held: watchmodel.Roster{}, harness: &harness{
			history: common, gateway: own, seen: seen, lists: newLists(), ledger: watchmodel.NewLedger(), start: time.Now(),
		}}
		c.ask(filters[0])
		m.clients[name] = c
	}
	return m, nil
}

// open opens a stream of all conferences with their last tokens. That of one conference is no token.
func (m *many) open(noToken int) {
	ctx, stop := context.WithCancel(caller("watch"))
	s := &manyStream{many: m, ctx: ctx, stop: stop, ended: make(chan struct{})}
	m.stream = s
	request := &v2.WatchConferencesRequest{}
	for i := range conferencesOfOne {
		c := m.clients[nameOfConference(i)]
		position := &v2.ConferencePosition{ConferenceId: c.conference, ResumeToken: c.token}
		if i == noToken {
			position.ResumeToken = "none"
		}
		request.Watches = append(request.Watches, position)
		c.stream = &stream{
			client: c, heartbeat: 15 * time.Second, opened: time.Now(), beat: time.Now(),
			initialToken: c.token, replays: c.replays(c.token),
		}
		if c.token != "" {
			m.seen.add(manyResumed)
		}
	}
	go func() {
		defer close(s.ended)
		s.err = m.gateway.WatchConferences(request, &grpc.GenericServerStream[
			v2.WatchConferencesRequest, v2.WatchConferencesResponse,
		]{ServerStream: s})
	}()
}

// reopen closes the stream and opens another.
func (m *many) reopen(s manyStep) {
	m.close()
	noToken := -1
	if s.B == 0 {
		noToken = s.Conference
	}
	m.open(noToken)
}

func (m *many) close() {
	m.stream.stop()
	<-m.stream.ended
	synctest.Wait()
	m.checkMessages()
}

func (m *many) stopReading(d time.Duration) {
	m.notReadingUntil.Store(time.Now().Add(d).UnixNano())
	for _, c := range m.clients {
		c.stopReading(d)
	}
}

// SendMsg blocks while the client does not read. All conferences wait then.
func (s *manyStream) SendMsg(sent any) error {
	sentAt := time.Now()
	wait := time.Until(time.Unix(0, s.many.notReadingUntil.Load()))
	if wait > 0 {
		for _, c := range s.many.clients {
			if c.stream != nil {
				c.stream.delayed = true
			}
		}
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-s.ended:
			return errors.New("the call has ended")
		}
	}
	resp, _ := sent.(*wire.Message).ProtoReflect().Interface().(*v2.WatchConferencesResponse)
	c := s.many.clients[resp.GetConferenceId()]
	if c == nil || c.stream == nil {
		return fmt.Errorf("a message of a conference that has ended: %s", resp)
	}
	c.stream.sent, c.stream.blocked = sentAt, wait > 0
	s.many.note()
	c.harness.fail(c.conference, s.many.receive(c, resp))
	return nil
}

// receive applies a message to its conference alone.
func (m *many) receive(c *client, resp *v2.WatchConferencesResponse) error {
	if resp.GetError() != nil {
		return m.refused(c, resp)
	}
	from, hadState := c.token, c.stream.hasState
	if err := c.stream.receive(resp.GetMessage()); err != nil {
		return err
	}
	switch {
	case resp.GetMessage().GetEnd() != nil:
		m.seen.add(manyEnded)
		m.forget(c)
	case hadState && resp.GetMessage().GetSnapshot().GetReason() == v2.SnapshotReason_SNAPSHOT_REASON_LAGGED:
		m.seen.add(manyLagged)
		return m.checkLag(c, from)
	}
	return nil
}

// refusals maps each reason for which a conference may end alone to its counter.
var refusals = map[apierror.Reason]string{
	apierror.ConferenceNotFound: manyRefused,
	apierror.UpstreamForbidden:  manyRefused,
	apierror.InvalidResumeToken: manyNoToken,
}

func (m *many) refused(c *client, resp *v2.WatchConferencesResponse) error {
	what, expected := refusals[grpcstatus.Reason(status.FromProto(resp.GetError()))]
	if !expected {
		return fmt.Errorf("the conference ended: %s", resp.GetError())
	}
	m.seen.add(what)
	m.forget(c)
	return nil
}

// forget makes the next stream begin with a snapshot of the conference.
func (m *many) forget(c *client) { c.stream, c.token = nil, "" }

// checkLag fails unless the conference itself had more changes than the history keeps: changes of
// the others must not count.
func (m *many) checkLag(c *client, token string) error {
	from, err := watchmodel.PositionOf(token)
	if err != nil {
		return err
	}
	c.harness.mu.Lock() // Other conferences go on meanwhile, and add to all ledgers.
	defer c.harness.mu.Unlock()
	missed := 0
	for at, entry := range c.harness.ledger.Entries {
		if at.Epoch == from.Epoch && at.Seq > from.Seq {
			missed += len(entry.Changes)
		}
	}
	if missed <= m.history.HistoryLimit {
		return fmt.Errorf("W12: a LAGGED snapshot after %d changes", missed)
	}
	return nil
}

func (m *many) advance(d time.Duration) {
	for {
		synctest.Wait()
		m.check()
		if d <= 0 || m.failed() != nil {
			return
		}
		time.Sleep(min(d, observeInterval))
		d -= observeInterval
	}
}

// check checks what each conference received, and that none is late because of another.
func (m *many) check() {
	m.note()
	m.checkMessages()
	select {
	case <-m.stream.ended:
		m.checkEnd()
		return
	default:
	}
	stale, fresh := false, false
	for _, c := range m.clients {
		if c.stream != nil {
			c.harness.fail(c.conference, c.checkDelays(c.harness.gateway.state()))
			stale, fresh = stale || c.stream.stale, fresh || c.stream.hasState && !c.stream.stale
		}
	}
	if stale && fresh {
		m.seen.add(manyStale)
	}
}

func (m *many) checkMessages() {
	for _, c := range m.clients {
		for _, one := range c.received {
			if err := c.checkMessage(one); err != nil {
				c.harness.fail(c.conference, fmt.Errorf("%w: message %s", err, one))
			}
		}
		c.received = c.received[:0]
	}
}

// checkEnd fails if the stream ended although conferences were open, except for a client that
// did not read. Then the client calls again.
func (m *many) checkEnd() {
	what := manyAllEnded
	for _, c := range m.clients {
		if c.stream != nil && apierror.ReasonOf(m.stream.err) != apierror.ClientBlocked {
			c.harness.fail(c.conference, fmt.Errorf("the stream ended although the conference did not: %w", m.stream.err))
		}
	}
	if m.stream.err != nil {
		what = manyBlocked
	}
	m.seen.add(what)
	if m.failed() == nil && what == manyAllEnded {
		m.open(-1)
	}
}

// rest waits until nothing changes any more, and compares each roster with the upstream.
func (m *many) rest() {
	if m.failed() != nil {
		return
	}
	m.stopReading(0)
	m.upstream.ClearFaults()
	for i := range conferencesOfOne - 1 {
		m.upstream.AddParticipant(nameOfConference(i), simulator.Participant{ID: "p0", Status: "connected", Name: nameOf(0)})
	}
	m.advance(lastFault)
	m.close()
	m.open(-1)
	m.advance(restFor)
	for i := range conferencesOfOne - 1 {
		c := m.clients[nameOfConference(i)]
		c.harness.fail("at rest", m.isTrue(c))
	}
	if c := m.clients[nameOfConference(conferencesOfOne-1)]; c.stream != nil {
		c.harness.fail("at rest", errors.New("the conference that the upstream does not know is open"))
	}
}

func (m *many) isTrue(c *client) error {
	if c.stream == nil || c.stream.stale {
		return fmt.Errorf("%s is not open and fresh", c.conference)
	}
	people := m.upstream.Participants(c.conference)
	if len(people) != len(c.held) {
		return fmt.Errorf("%s: %d participants, want %d", c.conference, len(c.held), len(people))
	}
	for _, person := range people {
		if held := c.held[person.ID]; held == nil || held.GetName() != person.Name {
			return fmt.Errorf("%s: %s, want %+v", c.conference, held, person)
		}
	}
	return nil
}

func (m *many) failed() error {
	for _, c := range m.clients {
		if err := c.harness.failed(); err != nil {
			return fmt.Errorf("%s: %w", c.conference, err)
		}
	}
	return nil
}

// note adds the state of each conference to its ledger.
func (m *many) note() {
	for _, c := range m.clients {
		c.harness.note()
	}
}

// Polled is not needed.
func (m *many) Polled(context.Context, time.Duration, error) {}

// Appended updates the ledgers at each change, so that they have every position.
func (m *many) Appended(feed.Entry) { m.note() }

// SurplusLearned is not needed.
func (m *many) SurplusLearned(int) {}
