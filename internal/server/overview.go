package server

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/audian/participant-gateway/internal/admin"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// overview returns what the process serves: all conferences, or one unless only is empty. It copies
// what it needs under each lock, and works on the copies.
func (s *Server) overview(ctx context.Context, only string) admin.Overview {
	wanted := func(conference string) bool { return only == "" || only == conference }
	now := time.Now()
	feeds := slices.DeleteFunc(s.hub.Feeds(), func(f *feed.Feed) bool { return !wanted(f.Key().Conference) })
	views, pollers := s.watcher.Reports(), s.replicas.pollers(ctx, followed(feeds))
	o := admin.Overview{Time: now, Replica: s.replicas.id()}
	for _, f := range feeds {
		conference := conferenceOf(f, views[f], now)
		conference.PolledBy = pollers[f.Key()]
		if conference.PolledHere {
			conference.PolledBy = o.Replica
		}
		o.Conferences = append(o.Conferences, conference)
	}
	watches := s.watchesByStream(wanted)
	for _, open := range s.streams.Watches() {
		if only == "" || len(watches[open.ID]) > 0 {
			o.Streams = append(o.Streams, s.streamOf(open, watches[open.ID], now))
		}
	}
	return o
}

// followed returns the keys of the feeds that this process does not poll.
func followed(feeds []*feed.Feed) (keys []participant.Key) {
	for _, f := range feeds {
		if !f.State().Polled {
			keys = append(keys, f.Key())
		}
	}
	return keys
}

func conferenceOf(f *feed.Feed, view watch.Report, now time.Time) admin.Conference {
	state, attempt, key := f.State(), f.LastAttempt(), f.Key()
	c := admin.Conference{
		ID: key.Conference, Account: hex.EncodeToString(key.Credential[:4]),
		Participants: state.Total, Active: state.Active,
		Subscribers: view.Subscribers, SingleFilters: view.Single,
		LastList:     listOf(attempt),
		PollInterval: admin.NewSeconds(state.PollInterval),
		Stale:        state.Stale, StaleReason: state.StaleReason,
		PolledHere: state.Polled,
		Log:        admin.Log{Position: state.Position.Seq, Entries: len(state.History), Changes: state.Changes()},
		Bytes:      state.Bytes() + view.Bytes,
	}
	if !state.LastSuccess.IsZero() {
		age := admin.NewSeconds(now.Sub(state.FreshAt))
		c.Age = &age
	}
	for _, used := range view.Filters {
		filter := admin.NewFilter(used.Filter)
		filter.Subscribers = used.Subscribers
		c.Filters = append(c.Filters, filter)
	}
	slices.SortFunc(c.Filters, func(a, b admin.Filter) int { return b.Subscribers - a.Subscribers })
	return c
}

func listOf(a feed.Attempt) admin.List {
	switch {
	case a.Began.IsZero():
		return admin.List{}
	case a.Reason != "":
		return admin.List{Began: a.Began, Took: admin.NewSeconds(a.Took), Result: string(a.Reason)}
	default:
		return admin.List{Began: a.Began, Took: admin.NewSeconds(a.Took), Result: "ok"}
	}
}

// watchesByStream returns the conferences of each stream, sorted.
func (s *Server) watchesByStream(wanted func(conference string) bool) map[uint64][]admin.Watch {
	watches := map[uint64][]admin.Watch{}
	for _, open := range s.watcher.Subscriptions() {
		if !wanted(open.Key.Conference) {
			continue
		}
		w := admin.Watch{Conference: open.Key.Conference, Filter: admin.NewFilter(open.Filter), Behind: open.Behind}
		if open.Opened {
			w.Position = &open.Seq
		}
		watches[open.Stream] = append(watches[open.Stream], w)
	}
	for _, of := range watches {
		slices.SortFunc(of, func(a, b admin.Watch) int { return strings.Compare(a.Conference, b.Conference) })
	}
	return watches
}

func (s *Server) streamOf(open interceptor.Watch, watches []admin.Watch, now time.Time) admin.Stream {
	return admin.Stream{
		ID: s.streamID(open.ID), Caller: open.Caller, Transport: open.Transport, Address: open.Address,
		RequestID: open.RequestID, OpenedAt: open.OpenedAt, Age: admin.NewSeconds(now.Sub(open.OpenedAt)), Watches: watches,
	}
}

// streamID returns the id of a stream for the operator. No other process, and no later one, has a stream
// with the same id: a page that is old ends nobody else's stream.
func (s *Server) streamID(number uint64) string { return fmt.Sprintf("%s-%d", s.run, number) }

// endStream ends a stream for the operator.
func (s *Server) endStream(ctx context.Context, id string) bool {
	digits, ours := strings.CutPrefix(id, s.run+"-")
	number, err := strconv.ParseUint(digits, 10, 64)
	if !ours || err != nil {
		return false
	}
	ended, ok := s.streams.End(number)
	if ok {
		s.logger.InfoContext(ctx, "stream ended through the admin port",
			slog.String("caller", ended.Caller), slog.String("request_id", ended.RequestID))
	}
	return ok
}
