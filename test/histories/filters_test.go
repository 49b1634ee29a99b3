package histories_test

import (
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// change applies one change, which must fit what the client holds.
func (c *client) change(change *v2.ParticipantChange) error {
	if err := c.held.Apply(change); err != nil {
		return err
	}
	c.harness.countFilter(change)
	return nil
}

// countFilter counts who came and went by the filter alone (W17).
func (w *harness) countFilter(change *v2.ParticipantChange) {
	switch {
	case change.GetKind() == v2.ChangeKind_CHANGE_KIND_LEFT_FILTER:
		w.seen.add(leftFilter)
	case change.GetKind() == v2.ChangeKind_CHANGE_KIND_ADDED && change.PreviousStatus != nil:
		w.seen.add(enteredFilter)
	}
}
