package terminal

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// display shows the states of a watch.
type display interface {
	show(state client.State) error
	close()
}

// Run shows a conference until it ends or ctx ends: as JSON, as a table on a terminal, or else
// one line for each change.
func (c *watchCommand) Run(ctx context.Context, s *session) error {
	shown, err := s.display(c.Conference)
	if err != nil {
		return err
	}
	err = c.follow(ctx, s, shown)
	shown.close()
	if err != nil {
		return fmt.Errorf("watch: %w", describe(err))
	}
	return nil
}

func (c *watchCommand) follow(ctx context.Context, s *session, shown display) error {
	states := s.client.Watch(ctx, c.Conference,
		client.Statuses(c.statuses()...), client.Roles(c.roles()...), client.Heartbeat(c.Heartbeat))
	for state, err := range states {
		if err != nil {
			return err
		}
		if err := shown.show(state); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) display(conference string) (display, error) {
	switch {
	case s.json:
		return jsonDisplay{s.process.Out}, nil
	case s.process.isTerminal(s.process.Out):
		return newScreen(s.process, conference)
	default:
		return lineDisplay{s.process.Out}, nil
	}
}

// people returns the participants of a roster, by id.
func people(roster map[string]*v2.Participant) []*v2.Participant {
	sorted := make([]*v2.Participant, 0, len(roster))
	for _, id := range slices.Sorted(maps.Keys(roster)) {
		sorted = append(sorted, roster[id])
	}
	return sorted
}
