package write

import (
	"context"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Control changes one field of one participant, and repeats its request as Remove does (A8).
// The Fields of the item are empty unless the answer contained the participant. If an earlier
// request of this call lost its answer, the upstream's own 404 or 409 of a disconnect is a
// success: the call has ended.
func (w *Writer) Control(ctx context.Context, call Call, id string, control participant.Control) (participant.Item, error) {
	item := itemOf(call.Key, id)
	err := w.repeat(ctx, &repeatable{
		begin: func() func() {
			record := w.recorder.BeginControl(ctx, call.Key)
			return func() { record.Done(participant.Controlled{Control: control, Item: item}) }
		},
		send: func(ctx context.Context) error {
			answer, err := call.Upstream.Control(ctx, call.Key.Conference, id, control)
			if err == nil {
				item = answer
			}
			return err
		},
		isDone: func(err error) bool {
			return control == participant.ControlDisconnect && (apierror.IsNotFound(err) || apierror.IsConflict(err))
		},
	})
	if err != nil {
		return participant.Item{}, err
	}
	return item, nil
}

// MuteAll asks the upstream to mute the participants of a conference, and repeats its request as
// Remove does. Its answer does not name whom it mutes, so the next list is read earlier (A8).
func (w *Writer) MuteAll(ctx context.Context, call Call) error {
	return w.repeat(ctx, &repeatable{
		begin:  func() func() { return func() { w.recorder.BringForward(ctx, call.Key) } },
		send:   func(ctx context.Context) error { return call.Upstream.MuteAll(ctx, call.Key.Conference) },
		isDone: func(error) bool { return false },
	})
}
