package participant_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/participant"
)

// TestRepeats_IsWhatApplyToDoesNotChange compares Repeats with ApplyTo and Changed.
func TestRepeats_IsWhatApplyToDoesNotChange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := func(label string) string { return rapid.SampledFrom([]string{"", "a"}).Draw(rt, label) }
		moment := func(label string) time.Time {
			zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 3600)}).Draw(rt, label)
			return rapid.SampledFrom([]time.Time{{}, time.Unix(1, 0)}).Draw(rt, label).In(zone)
		}
		draw := func() participant.Participant {
			return participant.Participant{
				ID: "p", PhoneNumber: text("number"), Name: text("name"), Role: participant.Role(text("role")),
				Status: participant.Status(text("status")), Muted: rapid.Bool().Draw(rt, "muted"),
				Duration: rapid.Int32Range(0, 1).Draw(rt, "duration"), JoinedAt: moment("joined"), CreatedAt: moment("created"),
			}
		}
		known := draw()
		item := participant.Item{Participant: known}
		if rapid.Bool().Draw(rt, "other") {
			item.Participant = draw()
		}
		item.Fields = participant.Fields(rapid.Uint16Range(0, uint16(participant.AllFields)).Draw(rt, "fields"))
		after := item.ApplyTo(known)
		want := participant.Changed(known, after) == 0 && known.CreatedAt.Equal(after.CreatedAt)
		if got := participant.Repeats(&item, &known); got != want {
			rt.Fatalf("%+v repeats %+v: %t, want %t", item, known, got, want)
		}
	})
}
