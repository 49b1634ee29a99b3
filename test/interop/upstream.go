package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// upstream is the simulated upstream of one gateway, on a port of its own.
type upstream struct {
	*simulator.Simulator

	server *http.Server
	addr   string
}

func startUpstream(ctx context.Context) (*upstream, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	u := &upstream{addr: listener.Addr().String(), Simulator: simulator.New(simulator.Options{
		Behaviour: simulator.Still, Tokens: []string{upstreamToken}, KnownOnly: true, LingerDisconnected: time.Hour,
	})}
	u.server = &http.Server{
		Handler: u.Handler(), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() { _ = u.server.Serve(listener) }()
	return u, nil
}

// create creates a conference with participants.
func (u *upstream) create(conference string, participants []simulator.Participant) {
	// A conference begins to exist with a participant.
	first := u.AddParticipant(conference, simulator.Participant{Status: "pending"})
	u.RemoveParticipant(conference, first.ID)
	for _, p := range participants {
		u.AddParticipant(conference, p)
	}
}

// change makes the changes of a move.
func (u *upstream) change(ctx context.Context, conference string, m *upstreamMove) error {
	for _, p := range m.Join {
		u.AddParticipant(conference, p)
	}
	for _, id := range m.Leave {
		if !u.RemoveParticipant(conference, id) {
			return fmt.Errorf("upstream: nobody is %s", id)
		}
	}
	for who, word := range m.Status {
		id, err := u.find(ctx, conference, who)
		if err != nil {
			return err
		}
		u.SetStatus(conference, id, word)
	}
	if m.Fault != nil {
		fault := *m.Fault
		fault.Conference = conference
		u.Inject(fault)
	}
	if m.ClearFaults {
		u.ClearFaults()
	}
	if m.DeleteConference && !u.DeleteConference(conference) {
		return fmt.Errorf("upstream: no conference %s", conference)
	}
	return nil
}

// find returns the id of a participant, by the id or the phone number. It waits until there is one.
func (u *upstream) find(ctx context.Context, conference, who string) (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, p := range u.Participants(conference) {
			if p.ID == who || p.PhoneNumber == who {
				return p.ID, nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", fmt.Errorf("upstream: nobody is %s", who)
		}
	}
}

// differences compares a roster with the participants of the upstream. Those whose call is over may be
// missing: the upstream lists them for a while after a removal.
func differences(participants []simulator.Participant, roster watchclient.Roster) []string {
	var found []string
	listed := map[string]bool{}
	for _, p := range participants {
		listed[p.ID] = true
		member, holds := roster[p.ID]
		switch {
		case !holds && p.Status != "disconnected" && p.Status != "rejected":
			found = append(found, fmt.Sprintf("%s (%s) is missing", p.ID, p.Status))
		case holds && word(member.Status, member.Muted) != word(p.Status, p.Muted):
			found = append(found, fmt.Sprintf("%s is %s, expected %s", p.ID, word(member.Status, member.Muted), word(p.Status, p.Muted)))
		}
	}
	for id := range roster {
		if !listed[id] {
			found = append(found, id+" is not in the conference")
		}
	}
	return found
}

// dialledTwice returns the phone numbers of a conference that were dialled more than once.
func dialledTwice(dials []simulator.Dial, conference string) []string {
	var found []string
	for number, n := range dialCounts(dials, conference) {
		if n > 1 {
			found = append(found, fmt.Sprintf("%s was dialled %d times", number, n))
		}
	}
	return found
}

func dialCounts(dials []simulator.Dial, conference string) map[string]int {
	counts := map[string]int{}
	for _, d := range dials {
		if d.Conference == conference {
			counts[d.PhoneNumber]++
		}
	}
	return counts
}
