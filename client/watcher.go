package client

import (
	"context"
	"fmt"
	"maps"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// watcher is one iteration of a watch.
type watcher struct {
	request *v2.WatchParticipantsRequest
	silence time.Duration
	retries retrier
	// give gives a state to the loop. It returns false if the loop has ended.
	give func(State) bool

	// current has the roster, the totals and the token. Its roster is replaced, never changed.
	current State
	// stale and staleReason are what the gateway last reported.
	stale       bool
	staleReason string
	// given is the last state. Its kind is 0 before the first one.
	given State
	// progressed is whether the present call has got a message.
	progressed bool
	// broken is whether no message came since the last state of KindDisconnected.
	broken bool
}

func newWatcher(request *v2.WatchParticipantsRequest, from State) *watcher {
	w := &watcher{request: request, current: State{Roster: from.Roster, Total: from.Total, Active: from.Active, Token: from.Token}}
	if w.current.Roster == nil {
		w.current.Roster = map[string]*v2.Participant{}
	}
	if !from.Fresh && from.StaleReason != StaleDisconnected {
		w.staleReason = from.StaleReason
		w.stale = from.StaleReason != ""
	}
	return w
}

// run returns nil when the conference, the loop or ctx has ended, and the error that another
// call cannot change.
func (w *watcher) run(ctx context.Context, l *link) error {
	for {
		w.progressed = false
		failed := w.call(ctx, l)
		ended := ctx.Err() != nil || l.isClosed()
		if failed == nil || ended {
			return nil
		}
		wait, again := w.retries.next(failed, w.progressed)
		if !again {
			return failed
		}
		if !w.giveDisconnected(failed) || !sleep(ctx, wait) {
			return nil
		}
	}
}

// call opens the stream at the last position. It returns nil when the conference or the loop
// has ended.
func (w *watcher) call(ctx context.Context, l *link) *Error {
	return streamCall[v2.WatchParticipantsResponse]{
		open: func(ctx context.Context, service v2.ParticipantServiceClient) (
			grpc.ServerStreamingClient[v2.WatchParticipantsResponse], error,
		) {
			w.request.ResumeToken = w.current.Token
			return service.WatchParticipants(ctx, w.request)
		},
		silence: w.silence,
		apply:   w.apply,
	}.run(ctx, l)
}

// apply applies a message and gives its state, if it has one.
func (w *watcher) apply(message *v2.WatchParticipantsResponse) (done bool, failed *Error) {
	w.progressed, w.broken = true, false
	state := State{}
	switch event := message.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		w.applySnapshot(event.Snapshot)
		state.Kind, state.SnapshotReason = KindSnapshot, event.Snapshot.GetReason()
	case *v2.WatchParticipantsResponse_Changes:
		w.applyChanges(event.Changes)
		state.Kind, state.Changes = KindChanges, event.Changes.GetChanges()
	case *v2.WatchParticipantsResponse_Checkpoint:
		if mismatch := w.applyCheckpoint(event.Checkpoint); mismatch != nil {
			return false, mismatch
		}
		state.Kind = w.freshnessKind()
	case *v2.WatchParticipantsResponse_End:
		state.Kind, state.EndReason = KindEnd, event.End.GetReason()
	}
	// The token comes last, so that it is never ahead of the roster.
	w.current.Token = message.GetResumeToken()
	if state.Kind == 0 {
		return false, nil
	}
	state.Fresh, state.StaleReason = !w.stale, w.staleReason
	return !w.giveState(state) || state.Kind == KindEnd, nil
}

func (w *watcher) applySnapshot(snapshot *v2.ParticipantSnapshot) {
	w.current.Roster = make(map[string]*v2.Participant, len(snapshot.GetParticipants()))
	for _, p := range snapshot.GetParticipants() {
		w.current.Roster[p.GetId()] = p
	}
	w.current.Total, w.current.Active = snapshot.Total, snapshot.Active
}

func (w *watcher) applyChanges(changes *v2.ParticipantChanges) {
	w.current.Roster = maps.Clone(w.current.Roster)
	for _, change := range changes.GetChanges() {
		id := change.GetParticipant().GetId()
		switch change.GetKind() {
		case v2.ChangeKind_CHANGE_KIND_REMOVED, v2.ChangeKind_CHANGE_KIND_LEFT_FILTER:
			delete(w.current.Roster, id)
		default:
			w.current.Roster[id] = change.GetParticipant()
		}
	}
}

// applyCheckpoint returns an error if the roster has another size than the gateway's. The
// next call then begins anew.
func (w *watcher) applyCheckpoint(checkpoint *v2.Checkpoint) *Error {
	w.stale = checkpoint.GetFreshness() != v2.Freshness_FRESHNESS_FRESH
	w.staleReason = checkpoint.GetStaleReason()
	if checkpoint.Total != nil {
		w.current.Total = checkpoint.Total
	}
	if checkpoint.Active != nil {
		w.current.Active = checkpoint.Active
	}
	if want := checkpoint.ParticipantCount; want != nil && int(*want) != len(w.current.Roster) {
		w.current.Token = ""
		return &Error{
			Code: codes.DataLoss, Reason: ReasonRosterMismatch,
			Message: fmt.Sprintf("the roster has %d participants, the gateway's has %d", len(w.current.Roster), *want),
		}
	}
	return nil
}

// freshnessKind is 0 if the last state says the same as the gateway.
func (w *watcher) freshnessKind() Kind {
	if w.given.Kind != 0 && w.given.Fresh == !w.stale && w.given.StaleReason == w.staleReason {
		return 0
	}
	return KindFreshness
}

// giveDisconnected gives one state for each break, however many calls fail after it.
func (w *watcher) giveDisconnected(failed *Error) bool {
	if w.broken {
		return true
	}
	w.broken = true
	return w.giveState(State{Kind: KindDisconnected, StaleReason: StaleDisconnected, Err: failed})
}

// giveState adds the roster, the totals and the position to a state, and gives it.
func (w *watcher) giveState(state State) bool {
	state.Roster, state.Token = w.current.Roster, w.current.Token
	state.Total, state.Active = w.current.Total, w.current.Active
	w.given = state
	return w.give(state)
}
