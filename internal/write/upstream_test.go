package write

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// step is what the fake upstream does with one request.
type step struct {
	// wait is how long the add waits for its grant.
	wait time.Duration
	// unsent fails the request instead of sending it.
	unsent error
	// dials makes the phone ring, after dialsAfter; the participant is listed lag later.
	dials      bool
	dialsAfter time.Duration
	lag        time.Duration
	// takes is how long the answer takes; silent requests get none.
	takes  time.Duration
	silent bool
	// fails replaces the answer.
	fails error
	// shows is the participant in the answer to a control.
	shows participant.Item
	// panics panics in place of sending.
	panics bool
	// panicsUnsent panics in Reserve.
	panicsUnsent bool
}

// listed is one person on the fake upstream.
type listed struct {
	item participant.Item
	from time.Time
}

// fakeUpstream follows a script for adds and for removes, the last step again and
// again. An empty script answers at once.
type fakeUpstream struct {
	mu      sync.Mutex
	adds    []step
	removes []step
	// controls is the script of controls and of mute-all; controlled are those that were sent.
	controls   []step
	controlled []string
	// lists returns the error of the n-th list, from 0; it may be nil.
	lists func(n int) error
	// missing is by how much lists are incomplete.
	missing int
	// unread is why a later page of the lists cannot be read, completeAt which list lacks
	// nothing all the same, counted from 1.
	unread     error
	completeAt int

	people    []listed
	sent      []time.Time
	dialled   []string
	dialledBy map[string]any
	removed   int
	read      int
	deadlines []time.Time
	// retries contains, for each add, remove and control, whether it was a retry.
	retries []bool
}

// caseKey is under which a test names a call to the fake upstream, in its context.
type caseKey struct{}

func next(steps *[]step) step {
	if len(*steps) == 0 {
		return step{dials: true}
	}
	first := (*steps)[0]
	if len(*steps) > 1 {
		*steps = (*steps)[1:]
	}
	return first
}

func (u *fakeUpstream) Reserve(ctx context.Context, conference, _ string) (Slot, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := next(&u.adds)
	u.retries = append(u.retries, requestctx.IsRetry(ctx))
	if s.panicsUnsent {
		panic("reserve")
	}
	if s.unsent != nil {
		return nil, s.unsent
	}
	return &fakeSlot{upstream: u, conference: conference, step: s, changed: make(chan struct{}, 1)}, nil
}

// sendTimeout bounds a request of the fake upstream.
const sendTimeout = 75 * time.Second

// fakeSlot follows one step of the script.
type fakeSlot struct {
	upstream   *fakeUpstream
	conference string
	step       step
	changed    chan struct{}

	mu       sync.Mutex
	deadline time.Time
}

func (s *fakeSlot) SetDeadline(deadline time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = deadline
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Wait fails at once if the grant would be too late (A3).
func (s *fakeSlot) Wait(ctx context.Context) error {
	s.mu.Lock()
	s.upstream.note(s.deadline)
	s.mu.Unlock()
	timer := time.NewTimer(s.step.wait)
	defer timer.Stop()
	grantedAt := time.Now().Add(s.step.wait)
	for {
		s.mu.Lock()
		deadline := s.deadline
		s.mu.Unlock()
		if !deadline.IsZero() && grantedAt.After(deadline) {
			return &apierror.Error{Reason: apierror.AddRateLimited, RetryAfter: time.Until(grantedAt)}
		}
		select {
		case <-timer.C:
			return nil
		case <-s.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *fakeSlot) Send(ctx context.Context, add participant.Add) (participant.Item, error) {
	deadline, _ := ctx.Deadline()
	s.upstream.note(deadline)
	if s.step.panics {
		panic("send")
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	item := s.upstream.take(ctx, s.conference, add, s.step)
	return item, s.upstream.respond(ctx, s.step)
}

func (s *fakeSlot) Release() {}

// note keeps the deadline that a slot or a request has now.
func (u *fakeUpstream) note(deadline time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.deadlines = append(u.deadlines, deadline)
}

// take does what the upstream does with a request, answered or not.
func (u *fakeUpstream) take(ctx context.Context, conference string, add participant.Add, s step) participant.Item {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent = append(u.sent, time.Now())
	if !s.dials {
		return participant.Item{}
	}
	id := fmt.Sprintf("part_%d", len(u.dialled)+1)
	u.dialled = append(u.dialled, id)
	if u.dialledBy == nil {
		u.dialledBy = make(map[string]any)
	}
	u.dialledBy[id] = ctx.Value(caseKey{})
	item := person(id, add)
	item.ConferenceID = conference
	u.people = append(u.people, listed{item: item, from: time.Now().Add(s.dialsAfter + s.lag)})
	return item
}

func (u *fakeUpstream) respond(ctx context.Context, s step) error {
	if s.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	if !sleep(ctx, s.takes) {
		return ctx.Err()
	}
	return s.fails
}

func (u *fakeUpstream) Remove(ctx context.Context, _, _ string) error {
	u.mu.Lock()
	u.removed++
	s := next(&u.removes)
	u.retries = append(u.retries, requestctx.IsRetry(ctx))
	u.mu.Unlock()
	return u.respond(ctx, s)
}

func (u *fakeUpstream) ListToReconcile(context.Context, string) (participant.List, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.read++
	if u.lists != nil {
		if err := u.lists(u.read - 1); err != nil {
			return participant.List{}, err
		}
	}
	list := participant.List{Began: time.Now(), Ended: time.Now(), Pages: 1}
	for _, p := range u.people {
		if !p.from.After(time.Now()) {
			list.Items = append(list.Items, p.item)
		}
	}
	list.Read = len(list.Items)
	total := list.Read
	if u.read != u.completeAt {
		total, list.PageErr = total+u.missing, u.unread
	}
	list.Total = &total
	return list, nil
}

// hideAfter removes a participant from the list after a while.
func (u *fakeUpstream) hideAfter(id string, d time.Duration) {
	time.AfterFunc(d, func() { u.hide(id) })
}

// show lists a participant that this gateway did not add.
func (u *fakeUpstream) show(item participant.Item) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.people = append(u.people, listed{item: item, from: time.Now()})
}

// hide removes a participant from the list.
func (u *fakeUpstream) hide(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.people = slices.DeleteFunc(u.people, func(p listed) bool { return p.item.ID == id })
}

func (u *fakeUpstream) dials() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.dialled)
}

func (u *fakeUpstream) sendings() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.sent)
}

// person is what the upstream makes of an add.
func person(id string, add participant.Add) participant.Item {
	role := add.Role
	if role == "" {
		role = participant.RoleListener
	}
	return participant.Item{
		Participant: participant.Participant{
			ID: id, PhoneNumber: add.PhoneNumber, Name: add.Name, Role: role,
			Status: participant.StatusDialing,
		},
		Fields: participant.FieldPhoneNumber | participant.FieldName | participant.FieldRole | participant.FieldStatus,
	}
}
