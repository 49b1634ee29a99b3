package write

import (
	"context"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Remove ends a participant's call, and repeats its request as repeat does. A 404 of the
// upstream itself is an error unless an earlier request of this call lost its answer (A2).
func (w *Writer) Remove(ctx context.Context, call Call, id string) error {
	return w.repeat(ctx, &repeatable{
		begin: func() func() {
			record := w.recorder.Begin(ctx, call.Key)
			return func() {
				record.Done(participant.Write{Kind: participant.WriteRemove, Item: itemOf(call.Key, id)})
			}
		},
		send:   func(ctx context.Context) error { return call.Upstream.Remove(ctx, call.Key.Conference, id) },
		isDone: apierror.IsNotFound,
	})
}

// itemOf returns an item of which only the id is known.
func itemOf(key participant.Key, id string) participant.Item {
	return participant.Item{Participant: participant.Participant{ID: id, ConferenceID: key.Conference}}
}
