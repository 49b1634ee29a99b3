package encoding_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/roster/encoding"
)

var moment = time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)

// at returns a moment of its own for each value.
func at(seconds int) time.Time { return moment.Add(time.Duration(seconds) * time.Second) }

func ada() participant.Participant {
	return participant.Participant{
		ID: "part_5f2c9e0d7a1b", ConferenceID: "conf", PhoneNumber: "+14155550123", Name: "Ada Lovelace",
		Role: participant.RolePresenter, Status: participant.StatusConnected, Muted: true, Duration: 77,
		JoinedAt: at(1), CreatedAt: at(2),
	}
}

// listed is a member as most are: present, and in each list.
func listed() roster.Member {
	return roster.Member{
		Participant: ada(), Present: true, InFlightSince: at(3), DurationAt: at(4), Proof: roster.Listed,
		StatusControl: roster.ControlledField{ChangedByList: 12345},
	}
}

// full is a member with a value in each field.
func full() roster.Member {
	m := listed()
	m.Proof, m.EvidenceAt, m.LastListed, m.LastListedAt, m.LastSeenAt = roster.Absent, at(5), 1, at(6), at(7)
	m.RemovedByList, m.Completed, m.RemoveCompleted = 1<<64-1, 1<<53+1, 4
	m.MissedLists, m.PlaceholderSince, m.DeferredSince = 1, at(8), at(9)
	m.Pending = &roster.PendingWrite{Kind: participant.WriteRemove, SentAt: at(10), DoneAt: at(11), CallEnded: true}
	control := func(c participant.Control) roster.ControlledField {
		return roster.ControlledField{ChangedByList: 5, ControlSent: 6, Pending: &roster.PendingControl{
			Control: c, Sent: 7, Done: 8, SentAt: at(12), DoneAt: at(13), Reverts: true, Deferred: true,
		}}
	}
	m.MutedControl, m.StatusControl = control(participant.ControlMute), control(participant.ControlHold)
	return m
}

func marks() roster.Marks {
	return roster.Marks{
		Known: true, LastList: 9, LastListAt: at(1), AbsentAt: at(2), PlaceholderSince: at(3),
		Surplus: roster.Surplus{Learned: 1, Difference: 2, Lists: 3, Since: at(4)},
	}
}

func batch() roster.Batch {
	before, after := ada(), ada()
	return roster.Batch{
		Changes: []roster.Change{{Before: &before, After: &after, ByWrite: true}, {Before: &before}, {After: &after}},
		Members: []roster.Member{full(), listed()}, Dropped: []string{"x", "y"}, Marks: marks(),
		NotBefore: at(1), NotAfter: at(2), Total: 3, Active: 2, Complete: true, LearnedSurplus: 4,
	}
}

// TestEncoding_KeepsEveryValue: a field that is added to one of the types must have a value here.
func TestEncoding_KeepsEveryValue(t *testing.T) {
	for _, value := range []any{full(), *full().Pending, full().MutedControl, *full().MutedControl.Pending, marks(), marks().Surplus, batch(), ada()} {
		for field, v := range reflect.ValueOf(value).Fields() {
			if field.IsExported() && v.IsZero() {
				t.Errorf("%T.%s has no value", value, field.Name)
			}
		}
	}
	data, err := encoding.EncodeBatch(batch())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := encoding.DecodeBatch("conf", data); err != nil || !reflect.DeepEqual(got, batch()) {
		t.Errorf("batch: got %+v, %v", got, err)
	}
	for name, m := range map[string]roster.Member{"full": full(), "listed": listed()} {
		if got := decodedMember(t, m); !reflect.DeepEqual(got, m) {
			t.Errorf("%s: got %+v, want %+v", name, got, m)
		}
	}
	for name, want := range map[string]roster.Marks{"full": marks(), "zero": {}} {
		data, _ := encoding.EncodeMarks(want) // The next line shows an error, too.
		if got, err := encoding.DecodeMarks(data); err != nil || got != want {
			t.Errorf("%s marks: got %+v, %v", name, got, err)
		}
	}
}

func decodedMember(t *testing.T, m roster.Member) roster.Member {
	t.Helper()
	data, err := encoding.EncodeMember(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := encoding.DecodeMember("conf", data)
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return got
}

func TestEncoding_KeepsTextsAndTimes(t *testing.T) {
	for _, text := range []string{"", "\x00", `"\`, "</script>", "\u2028", "\ufffd", "Zoë 👩‍👩‍👧", strings.Repeat("ä", 1000)} {
		m := listed()
		m.Participant.Name = text
		if got := decodedMember(t, m); got.Participant.Name != text {
			t.Errorf("name: got %q, want %q", got.Participant.Name, text)
		}
	}
	for name, want := range map[string]time.Time{
		"unset": {}, "1970": time.Unix(0, 0), "before": time.Unix(-1, 1), "another zone": moment.In(time.FixedZone("", -3600)),
		"the year -1": time.Date(-1, 1, 1, 0, 0, 0, 1, time.UTC), "the year 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"this process": time.Now(),
	} {
		m := listed()
		m.Participant.JoinedAt = want
		if got := decodedMember(t, m).Participant.JoinedAt; !got.Equal(want) || got.IsZero() != want.IsZero() || got.Location() != time.UTC {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestEncoding_IsCompactAndDeterministic(t *testing.T) {
	first, err := encoding.EncodeMember(listed())
	if err != nil || len(first) > 300 {
		t.Errorf("%d bytes, error %v: %s", len(first), err, first)
	}
	for range 10 {
		if again, _ := encoding.EncodeMember(listed()); !bytes.Equal(first, again) {
			t.Fatalf("got %s, want %s", again, first)
		}
	}
}

func TestEncoding_RefusesWhatItCannotRead(t *testing.T) {
	control := func(c participant.Control) []byte {
		m := full()
		m.MutedControl.Pending.Control = c
		data, err := encoding.EncodeMember(m)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "no version": []byte(`{"p":{"i":"a"}}`), "another version": []byte(`2{"p":{"i":"a"}}`),
		"no value": []byte("1"), "cut off": []byte(`1{"p":{"i":"a"`), "more": []byte(`1{"p":{"i":"a"}}{}`), "another value": []byte(`1[]`),
		"an unknown name": []byte(`1{"p":{"i":"a"},"zz":1}`), "invalid UTF-8": []byte("1{\"p\":{\"i\":\"\xff\"}}"),
		"no id": []byte(`1{"p":{"n":"Ada"}}`), "an unknown proof": []byte(`1{"p":{"i":"a"},"e":3}`),
		"an unknown write": []byte(`1{"p":{"i":"a"},"w":{"k":3}}`), "no write": []byte(`1{"p":{"i":"a"},"w":{}}`),
		"an unknown control": control(99), "no control": control(0), "a control of the other field": control(participant.ControlHold),
	} {
		if m, err := encoding.DecodeMember("conf", data); err == nil || !reflect.DeepEqual(m, roster.Member{}) {
			t.Errorf("%s: got %+v, error %v", name, m, err)
		}
	}
	for name, data := range map[string]string{
		"a change of nobody": `1{"c":[{}]}`, "a change without an id": `1{"c":[{"a":{"n":"Ada"}}]}`, "a member without an id": `1{"m":[{}]}`,
	} {
		if b, err := encoding.DecodeBatch("conf", []byte(data)); err == nil || !b.Empty() {
			t.Errorf("%s: got %+v, error %v", name, b, err)
		}
	}
	if _, err := encoding.DecodeMarks([]byte(`1{"k":1}`)); err == nil {
		t.Error("marks of a wrong type were read")
	}
}

// FuzzDecode decodes damaged bytes. What can be read has one encoding, and can be applied.
func FuzzDecode(f *testing.F) {
	data, err := encoding.EncodeBatch(batch())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`1{"m":[{"p":{"i":"a"},"w":null}],"c":null,"nb":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := encoding.DecodeBatch("conf", data)
		if err != nil {
			return
		}
		again, err := encoding.EncodeBatch(b)
		if err != nil {
			t.Fatalf("cannot be encoded again: %v", err)
		}
		second, err := encoding.DecodeBatch("conf", again)
		if err != nil || !reflect.DeepEqual(second, b) {
			t.Fatalf("got %+v, %v, want %+v", second, err, b)
		}
		r := roster.New("conf")
		r.Apply(b)
		r.Apply(r.PlanPoll(roster.Poll{
			List:  participant.List{Items: []participant.Item{{Participant: ada(), Fields: participant.AllFields}}, Read: 1, Pages: 1, Began: moment, Ended: moment},
			Began: 10, Applied: 11,
		}))
		r.People()
	})
}
