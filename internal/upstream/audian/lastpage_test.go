package audian

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/audian/participant-gateway/internal/participant"
)

// decodedPage is everything that the rest of the package uses of a page.
type decodedPage struct {
	p        page
	list     participant.List
	e        envelope
	err      string
	reported map[string]bool
	kept     *lastPage
}

// decodePlainly decodes a body by the definition.
func decodePlainly(body []byte) (decodedPage, bool) {
	return decodeBody(&pageReader{}, func(*pageReader) documentReader { return readDocument }, body)
}

// decodeAfter decodes a body by comparing it with the page before. It returns false if that cannot
// be done.
func decodeAfter(last *lastPage, body []byte) (decodedPage, bool) {
	return decodeBody(&pageReader{last: last}, func(r *pageReader) documentReader { return r.readPage }, body)
}

func decodeBody(reader *pageReader, by func(*pageReader) documentReader, body []byte) (d decodedPage, ok bool) {
	d.reported = map[string]bool{}
	reader.room, reader.unexpected = maxItems, func(field string) { d.reported[field] = true }
	document, e, ok := by(reader)(body)
	if !ok {
		return decodedPage{}, false
	}
	d.e = e
	var err error
	if d.p, err = reader.decodePage(e); err != nil {
		d.err = err.Error()
		return d, true
	}
	pages := newPager("conf", nil)
	if err := pages.add(d.p, document, new(bytes.Buffer)); err != nil {
		d.err = err.Error()
	}
	d.list, d.kept = pages.finish(nil), pages.read[0]
	return d, true
}

// differs returns how a page differs from that of the plain decoder.
func (d decodedPage) differs(want decodedPage) string {
	switch {
	case d.err != want.err:
		return fmt.Sprintf("error %q, want %q", d.err, want.err)
	case !reflect.DeepEqual(d.list.Items, want.list.Items):
		return fmt.Sprintf("items %+v, want %+v", d.list.Items, want.list.Items)
	case !reflect.DeepEqual(d.p.texts, want.p.texts) || !bytes.Equal(d.p.array, want.p.array):
		return fmt.Sprintf("texts %v, want %v", d.p.texts, want.p.texts)
	case d.list.Read != want.list.Read, !reflect.DeepEqual(d.list.Total, want.list.Total), !reflect.DeepEqual(d.list.Active, want.list.Active),
		d.list.Placeholder != want.list.Placeholder, d.p.next != want.p.next:
		return fmt.Sprintf("list %+v, next %q, want %+v, %q", d.list, d.p.next, want.list, want.p.next)
	case !reflect.DeepEqual(d.e.errorBody(), want.e.errorBody()):
		return fmt.Sprintf("error body %+v, want %+v", d.e.errorBody(), want.e.errorBody())
	case !reflect.DeepEqual(d.e.remaining(), want.e.remaining()), !bytes.Equal(d.e.RequestID, want.e.RequestID),
		!bytes.Equal(d.e.AuthToken, want.e.AuthToken), !bytes.Equal(d.e.ID, want.e.ID):
		return fmt.Sprintf("envelope %v, want %v", d.e, want.e)
	case d.kept != nil && (want.kept == nil || !bytes.Equal(d.kept.before, want.kept.before)):
		return fmt.Sprintf("keeps %q, want %+v", d.kept.before, want.kept)
	default:
		return ""
	}
}

// checkAfter decodes a body after another one, in both ways, and the first one again after that. It
// reports whether the second body was compared with the first.
func checkAfter(t fataler, first, second []byte) (compared bool) {
	t.Helper()
	before, ok := decodePlainly(first)
	if !ok || before.kept == nil {
		return false
	}
	got, ok := decodeAfter(before.kept, second)
	if !ok {
		checkAgain(t, before.kept, first)
		return false
	}
	want, ok := decodePlainly(second)
	if !ok {
		t.Fatalf("decoded after\n%q\n%q, which is not JSON", first, second)
	}
	if problem := got.differs(want); problem != "" {
		t.Fatalf("decoded after\n%q\n%q:\n%s", first, second, problem)
	}
	for field := range want.reported {
		if !got.reported[field] && !before.reported[field] {
			t.Fatalf("decoded after\n%q\n%q, did not report %s", first, second, field)
		}
	}
	if got.kept != nil {
		checkAgain(t, got.kept, first)
	}
	return true
}

// checkFirst decodes a body without one before, item by item if that can be done. It reports whether it can.
func checkFirst(t fataler, body []byte) bool {
	t.Helper()
	got, ok := decodeAfter(nil, body)
	if !ok {
		return false
	}
	want, ok := decodePlainly(body)
	if !ok {
		t.Fatalf("decoded\n%q, which is not JSON", body)
	}
	if problem := got.differs(want); problem != "" {
		t.Fatalf("decoded\n%q:\n%s", body, problem)
	}
	if !reflect.DeepEqual(got.reported, want.reported) {
		t.Fatalf("decoded\n%q, reported %v, want %v", body, got.reported, want.reported)
	}
	return true
}

// checkAgain decodes a body after others.
func checkAgain(t fataler, last *lastPage, body []byte) {
	t.Helper()
	again, ok := decodeAfter(last, body)
	want, _ := decodePlainly(body)
	if !ok {
		return
	}
	if problem := again.differs(want); problem != "" {
		t.Fatalf("decoded again\n%q:\n%s", body, problem)
	}
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// FuzzLastPage holds that a body which is compared with the one before is decoded as without it. The
// body is the one before with parts replaced.
func FuzzLastPage(f *testing.F) {
	bare := []byte(`{"participants":[` + person + `,` + strings.Replace(person, "part_1", "part_2", 1) + `],"total":2,"active":0}`)
	for _, body := range [][]byte{
		bare,
		[]byte(`{"data":{"participants":[ {"id":"a","duration":1} , {"id":"b","duration":22,"duration":"x"}],"total":2},"status":"success","tokens":{"remaining":3}}`),
		[]byte("\ufeff" + `{"request_id":"r","data":[{"duration":12,"id":"a","x":{"duration":5}},{"dur\u0061tion":0,"id":"b"}],"next_start_key":"k"}`),
		[]byte(`{"participants":[],"data":[{"id":"a","duration":9}],"participants":null}`),
	} {
		at := bytes.Index(body, []byte(`duration":`)) + len(`duration":`)
		f.Add(body, uint16(at), uint16(1), []byte("7"), uint16(0), uint16(0), []byte{})
		f.Add(body, uint16(at), uint16(1), []byte("10"), uint16(len(body)), uint16(0), []byte(" "))
		f.Add(body, uint16(at), uint16(1), []byte(`"7"`), uint16(len(body)-1), uint16(0), []byte(`,"participants":[]`))
		f.Add(body, uint16(at), uint16(1), []byte("1e1"), uint16(len(body)-1), uint16(0), []byte(`,"participants":null`))
		f.Add(body, uint16(at), uint16(1), []byte("007"), uint16(0), uint16(0), []byte("\ufeff"))
		f.Add(body, uint16(at), uint16(1), []byte("-1"), uint16(at), uint16(0), []byte{0x1f})
	}
	f.Fuzz(func(t *testing.T, first []byte, at1, cut1 uint16, put1 []byte, at2, cut2 uint16, put2 []byte) {
		second := splice(splice(first, int(at1), int(cut1), put1), int(at2), int(cut2), put2)
		checkFirst(t, first)
		checkFirst(t, second)
		checkAfter(t, first, second)
		checkAfter(t, second, first)
	})
}

// splice returns a text with a part replaced.
func splice(text []byte, at, cut int, put []byte) []byte {
	at = min(at, len(text))
	return slices.Concat(text[:at], put, text[min(at+cut, len(text)):])
}

// member is a member of a participant in a body, as the upstream or its faults write it.
var memberTexts = []string{
	`"status":"held"`, `"status":"connected"`, `"name":"A\u0042"`, "\"name\":\"\xff\"", "\"name\":\"a\x01\"", `"muted":"true"`, `"muted":7`,
	`"x":{"duration":1}`, `"x":[1,{"id":"c"}]`, `"duration":"12"`, `"duration":12.5`, `"duration":null`, `"duration":1e3`, `"duration":-4`,
	`"duration":2147483648`, `"duration":012`, `"dur\u0061tion":3`, `"id":7`, `"phone_number":12025550123`, `"joined_at":null`,
}

// drawParticipant draws the text of a participant.
func drawParticipant(t *rapid.T) string {
	members := rapid.SliceOfN(rapid.SampledFrom(memberTexts), 0, 3).Draw(t, "members")
	if rapid.IntRange(0, 19).Draw(t, "nobody") > 0 {
		members = append(members, `"id":"`+rapid.SampledFrom(strings.Split("abcdefgh", "")).Draw(t, "id")+`"`)
	}
	if rapid.IntRange(0, 4).Draw(t, "ticks") > 0 {
		members = append(members, fmt.Sprintf(`"duration":%d`, rapid.IntRange(0, 120).Draw(t, "duration")))
	}
	return "{" + strings.Join(rapid.Permutation(members).Draw(t, "order"), drawSeparator(t)) + "}"
}

func drawSeparator(t *rapid.T) string {
	return rapid.SampledFrom([]string{",", ",", ",", " ,\n"}).Draw(t, "separator")
}

// drawBody draws a body with participants. Its form is one of a few.
func drawBody(t *rapid.T, participants []string) []byte {
	array := "[" + strings.Join(participants, drawSeparator(t)) + "]"
	rest := rapid.SampledFrom([]string{
		``, ``, `,"total":3,"active":1`, `,"total":"2"`, `,"next_start_key":"k"`, `,"tokens":{"remaining":9},"request_id":"r"`,
		`,"participants":null`, `,"participants":[]`, `,"data":[{"id":"z"}]`, `,"status":"error"`, `,"x":"]}"`, `,`, `x`,
	}).Draw(t, "rest")
	form := rapid.SampledFrom([]string{
		`{"participants":%s%s}`, `{"participants":%s%s}`, `{"data":%s%s}`, `{"data":{"participants":%s%s},"status":"success"}`,
		"\ufeff" + `{"participants":%s%s}`, `{"participants":[],"data":%s%s}`, `{"x":[{"id":"y"}],"participants": %s%s} `,
	}).Draw(t, "form")
	return fmt.Appendf(nil, form, array, rest)
}

// TestLastPage_DecodesLikeThePlainDecoder draws a list and then what a later list may be.
func TestLastPage_DecodesLikeThePlainDecoder(t *testing.T) {
	compared, alone := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		participants := rapid.SliceOfN(rapid.Custom(drawParticipant), 1, 8).Draw(rt, "first")
		first := drawBody(rt, participants)
		later := slices.Clone(participants)
		for range rapid.IntRange(0, 4).Draw(rt, "changes") {
			at := rapid.IntRange(0, len(later)).Draw(rt, "at")
			switch change := rapid.IntRange(0, 4).Draw(rt, "change"); {
			case change == 0 || at == len(later):
				later = slices.Insert(later, at, rapid.Custom(drawParticipant).Draw(rt, "inserted"))
			case change == 1:
				later = slices.Delete(later, at, at+1)
			case change == 2:
				other := rapid.IntRange(0, len(later)-1).Draw(rt, "other")
				later[at], later[other] = later[other], later[at]
			case change == 3:
				later[at] = rapid.Custom(drawParticipant).Draw(rt, "changed")
			default:
				later[at] = strings.Replace(later[at], `"duration":`, `"duration":`+rapid.StringMatching(`[0-9]{0,3}`).Draw(rt, "digits"), 1)
			}
		}
		second := drawBody(rt, later)
		if rapid.IntRange(0, 3).Draw(rt, "splice") == 0 {
			at := rapid.IntRange(0, len(second)).Draw(rt, "where")
			second = splice(second, at, rapid.IntRange(0, 4).Draw(rt, "cut"), []byte(rapid.SampledFrom([]string{
				"", "0", "1", ",", "]", "[", "{", "}", `"`, `\`, " ", "\n", "\x00", "\xff", "null",
			}).Draw(rt, "put")))
		}
		if checkAfter(rt, first, second) {
			compared++
		}
		if checkFirst(rt, first) {
			alone++
		}
		checkFirst(rt, second)
	})
	if compared == 0 || alone == 0 {
		t.Errorf("%d bodies were compared with the one before, and %d without one decoded item by item", compared, alone)
	}
}

// TestLastPage_DecodesWhatIsUsual shows which bodies are decoded item by item after another one, and
// which are decoded as a whole.
func TestLastPage_DecodesWhatIsUsual(t *testing.T) {
	const first = `{"participants":[{"id":"a","duration":9},{"id":"b","duration":99},{"id":"c"}],"total":3,"active":3}`
	for name, test := range map[string]struct {
		second   string
		compared bool
	}{
		"the same":              {first, true},
		"a longer duration":     {strings.Replace(first, "9}", "10}", 1), true},
		"a byte order mark":     {"\ufeff" + first, true},
		"other totals":          {strings.Replace(first, `"active":3`, `"active":2,"request_id":"r"`, 1), true},
		"a change":              {strings.Replace(first, `"b",`, `"b","status":"held",`, 1), true},
		"one left":              {strings.Replace(first, `{"id":"a","duration":9},`, ``, 1), true},
		"one joined":            {strings.Replace(first, `{"id":"c"}`, `{"id":"d"},{"id":"c"}`, 1), true},
		"another order":         {`{"participants":[{"id":"c"},{"id":"b","duration":99},{"id":"a","duration":9}],"total":3,"active":3}`, true},
		"the last one again":    {strings.Replace(first, `{"id":"c"}`, `{"id":"c"},{"id":"a"}`, 1), true},
		"nobody":                {`{"participants":[],"total":0}`, false},
		"blanks in the array":   {strings.ReplaceAll(first, `},{`, "} ,\n{"), true},
		"other members before":  {`{"total":3,` + first[1:], true},
		"another array before":  {`{"x":[],` + first[1:], false},
		"another array after":   {strings.Replace(first, `],`, `],"participants":[],`, 1), false},
		"no array after all":    {strings.Replace(first, `],`, `],"participants":null,`, 1), false},
		"half a body":           {first[:len(first)-1], false},
		"two bodies":            {first + first, false},
		"half an item":          {strings.Replace(first, `"c"}`, `"c"`, 1), false},
		"a long item":           {strings.Replace(first, `"c"}`, `"c","name":"`+strings.Repeat("x", maxItemText)+`"}`, 1), true},
		"a long nested item":    {strings.Replace(first, `"c"}`, `"c","x":"`+strings.Repeat("x", maxItemText)+`","y":[]}`, 1), false},
		"a control character":   {strings.Replace(first, `"c"}`, `"c","name":"`+"\x01"+`"}`, 1), false},
		"an item without an id": {strings.Replace(first, `{"id":"c"}`, `{"name":"C"}`, 1), false},
	} {
		if compared := checkAfter(t, []byte(first), []byte(test.second)); compared != test.compared {
			t.Errorf("%s: compared %t, want %t", name, compared, test.compared)
		}
	}
}
