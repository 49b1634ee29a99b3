package feedlog

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/replica/sharedlog"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/roster/encoding"
)

// encode returns a draft as a batch, without an id.
func encode(draft *feed.Draft) (batch sharedlog.Batch, err error) {
	batch = sharedlog.Batch{
		Expected: encodeHead(draft.Expected), Answered: draft.Answered, Clock: uint64(draft.Clock), Floor: draft.Floor,
	}
	if held, ok := draft.Lease.(*lease); ok {
		batch.Lease = held.held
	}
	if draft.Status != nil {
		batch.Listed = draft.Status.Listed
		if batch.Status, err = encodeStatus(draft.Status); err != nil {
			return batch, err
		}
	}
	if draft.Base != nil {
		batch.Base, batch.ListTick = true, uint64(draft.Base.Marks.LastList)
		err = encodeMembers(&batch, *draft.Base, true)
		return batch, err
	}
	if len(draft.Batch.Changes) > 0 {
		batch.Changes = len(draft.Batch.Changes)
		if batch.Entry, err = encoding.EncodeBatch(draft.Batch.Visible()); err != nil {
			return batch, fmt.Errorf("encode an entry: %w", err)
		}
	}
	err = encodeMembers(&batch, draft.Batch, batch.Listed)
	return batch, err
}

// encodeMembers encodes what changes the roster. Only lists change the marks.
func encodeMembers(batch *sharedlog.Batch, from roster.Batch, marks bool) (err error) {
	batch.Forgotten = from.Dropped
	batch.Members = make(map[string][]byte, len(from.Members))
	for _, member := range from.Members {
		id := member.Participant.ID
		if batch.Members[id], err = encoding.EncodeMember(member); err != nil {
			return fmt.Errorf("encode a member: %w", err)
		}
	}
	if marks {
		if batch.Marks, err = encoding.EncodeMarks(from.Marks); err != nil {
			return fmt.Errorf("encode the marks: %w", err)
		}
	}
	return nil
}

// statusVersion is the first byte of an encoded status. Another version cannot be decoded.
const statusVersion = '1'

// options write durations as nanoseconds.
var options = json.JoinOptions(
	json.RejectUnknownMembers(true),
	json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, d time.Duration) error {
		return json.MarshalEncode(enc, int64(d))
	})),
	json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, d *time.Duration) error {
		return json.UnmarshalDecode(dec, (*int64)(d))
	})),
)

func encodeStatus(status *feed.Status) ([]byte, error) {
	data, err := json.Marshal(status, options)
	if err != nil {
		return nil, fmt.Errorf("encode a status: %w", err)
	}
	return append([]byte{statusVersion}, data...), nil
}

func encodeHead(h feed.Head) sharedlog.Head {
	return sharedlog.Head{Epoch: sharedlog.Epoch(h.Epoch), Seq: h.Seq, Commits: h.Commits}
}

func decodeHead(h sharedlog.Head) feed.Head {
	return feed.Head{Position: feed.Position{Epoch: feed.Epoch(h.Epoch), Seq: h.Seq}, Commits: h.Commits}
}

// outcomes are those of sharedlog as package feed names them.
var outcomes = map[sharedlog.Outcome]feed.Outcome{
	sharedlog.Appended: feed.Appended,
	sharedlog.Repeated: feed.Repeated,
	sharedlog.Conflict: feed.Conflict,
	sharedlog.Missing:  feed.Missing,
	sharedlog.Fenced:   feed.Refused,
	sharedlog.TooOld:   feed.Refused,
}

func decodeResult(r sharedlog.Result) feed.Result {
	return feed.Result{Outcome: outcomes[r.Outcome], Head: decodeHead(r.Head), Tick: roster.LogicalTime(r.Tick)}
}
