package sharedclaims_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

// step is what the upstream does with an add.
type step struct {
	// waits and sends hold the add before its turn, and in the upstream, until they are closed.
	waits, sends <-chan struct{}
	// onTurn, onSend and onAnswer are called at these moments.
	onTurn, onSend, onAnswer func()
	// silent adds make no phone ring; fails is the error of the answer.
	silent bool
	fails  error
	// refuses is the error of a turn that cannot come.
	refuses error
}

// upstream takes the steps in turn, the last one again and again.
type upstream struct {
	mu     sync.Mutex
	steps  []step
	sent   int
	people []participant.Item
	ended  chan struct{}
}

func (u *upstream) script(steps ...step) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.steps = steps
}

func (u *upstream) next() step {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.steps) == 0 {
		return step{}
	}
	first := u.steps[0]
	if len(u.steps) > 1 {
		u.steps = u.steps[1:]
	}
	return first
}

// end lets every add go on.
func (u *upstream) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended == nil {
		u.ended = make(chan struct{})
		close(u.ended)
	}
}

func (u *upstream) sendings() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sent
}

func (u *upstream) Reserve(_ context.Context, conference, _ string) (write.Slot, error) {
	return &slot{u, conference, u.next()}, nil
}

func (u *upstream) Remove(context.Context, string, string) error { return nil }

func (u *upstream) Control(context.Context, string, string, participant.Control) (participant.Item, error) {
	return participant.Item{}, nil
}

func (u *upstream) MuteAll(context.Context, string) error { return nil }

func (u *upstream) ListToReconcile(_ context.Context, conference string) (participant.List, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := participant.List{Items: slices.Clone(u.people), Pages: 1, Began: time.Now(), Ended: time.Now()}
	list.Items = slices.DeleteFunc(list.Items, func(p participant.Item) bool { return p.ConferenceID != conference })
	return list, nil
}

type slot struct {
	upstream   *upstream
	conference string
	step       step
}

func (s *slot) SetDeadline(time.Time) {}

func (s *slot) Wait(ctx context.Context) error {
	call(s.step.onTurn)
	if s.step.refuses != nil {
		return s.step.refuses
	}
	return hold(ctx, s.step.waits)
}

func (s *slot) Release() {}

func (s *slot) Send(ctx context.Context, add participant.Add) (participant.Item, error) {
	item := s.upstream.take(s.conference, add, s.step.silent)
	call(s.step.onSend)
	if err := hold(ctx, s.step.sends); err != nil {
		return participant.Item{}, err
	}
	call(s.step.onAnswer)
	return item, s.step.fails
}

func call(f func()) {
	if f != nil {
		f()
	}
}

func hold(ctx context.Context, until <-chan struct{}) error {
	if until == nil {
		return nil
	}
	select {
	case <-until:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (u *upstream) take(conference string, add participant.Add, silent bool) participant.Item {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent++
	if silent {
		return participant.Item{}
	}
	item := participant.Item{
		Participant: participant.Participant{
			ID: fmt.Sprintf("part_%d", len(u.people)+1), ConferenceID: conference, PhoneNumber: add.PhoneNumber,
			Name: add.Name, Role: add.Role, Status: participant.StatusDialing,
		},
		Fields: participant.FieldPhoneNumber | participant.FieldName | participant.FieldRole | participant.FieldStatus,
	}
	u.people = append(u.people, item)
	return item
}
