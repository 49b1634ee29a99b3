package wire

import (
	"bytes"
	"testing"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// TestA13_MaskedMessages renders every message with participants in every format.
func TestA13_MaskedMessages(t *testing.T) {
	const digits, number, masked = "2025551234", "+12025551234", "+*******1234"
	ada := with(func(p *participant.Participant) { p.PhoneNumber, p.Name = number, "Ada "+number })
	other := with(func(p *participant.Participant) { p.PhoneNumber = "+13035551234" })
	change := func(kind watch.ChangeKind, before *participant.Participant) *watch.Message {
		return &watch.Message{Changes: &watch.Changes{Changes: []watch.Change{{Kind: kind, Participant: ada, Before: before}}}}
	}
	for name, source := range map[string]func() *watch.Message{
		"snapshot": func() *watch.Message {
			return &watch.Message{Snapshot: &watch.Snapshot{Participants: []participant.Participant{ada}, Reason: watch.Initial}}
		},
		"added":       func() *watch.Message { return change(watch.Added, nil) },
		"updated":     func() *watch.Message { return change(watch.Updated, &other) },
		"left filter": func() *watch.Message { return change(watch.LeftFilter, &other) },
		"removed":     func() *watch.Message { return change(watch.Removed, &ada) },
	} {
		for _, mask := range []bool{true, false} {
			m := source()
			m.MaskNumbers = mask
			for format, encode := range map[string]func(*Message) ([]byte, error){
				"proto": (*Message).Proto, "JSON": (*Message).JSON, "SSE": (*Message).SSE, "proto3 JSON": (*Message).ProtoJSON,
			} {
				encoded, err := encode(NewMessage(m))
				if err != nil {
					t.Fatal(err)
				}
				if shown := bytes.Contains(encoded, []byte(digits)); shown == mask || bytes.Contains(encoded, []byte(masked)) != mask {
					t.Errorf("%s as %s, mask %t: %s", name, format, mask, encoded)
				}
			}
		}
	}
}

// The changed fields are those of a caller without the mask, also if both numbers look the same.
func TestA13_TheMaskHidesNoChangedField(t *testing.T) {
	before := with(func(p *participant.Participant) { p.PhoneNumber = "+13035551234" })
	after := with(func(p *participant.Participant) { p.PhoneNumber = "+12025551234" })
	got := change(&watch.Change{Kind: watch.Updated, Participant: after, Before: &before}, participant.Participant.Masked)
	if fields := got.GetChangedFields(); len(fields) != 1 || fields[0] != "phone_number" {
		t.Errorf("got %v", got)
	}
}
