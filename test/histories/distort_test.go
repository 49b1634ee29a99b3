package histories_test

import (
	"bytes"
	"regexp"
	"strconv"
)

// distort changes the body of a list: its total, and the values of its fields.
func (w *harness) distort(body []byte) []byte {
	if w.history.Surplus != 0 {
		body = totals.ReplaceAllFunc(body, w.overcount)
	}
	// With a total that is too large, null is not an empty list.
	if w.history.Null && (!w.resting || w.history.Surplus == 0) {
		body = bytes.Replace(body, []byte(`"participants":[]`), []byte(`"participants":null`), 1)
	}
	if w.placeholders > 0 {
		w.placeholders--
		w.seen.add(placeholderRead)
		body = []byte(`{"participants":{},"total":0}`)
	}
	if w.history.UnexpectedFields && !w.resting {
		w.altered++
		way := unexpectedFields[w.altered%len(unexpectedFields)]
		changed := bytes.Replace(body, []byte(way[0]), []byte(way[1]), 1)
		if !bytes.Equal(changed, body) {
			w.seen.add(unexpectedFieldRead)
		}
		body = changed
	}
	return body
}

var totals = regexp.MustCompile(`"total":\d+`)

func (w *harness) overcount(total []byte) []byte {
	n, _ := strconv.Atoi(string(total[len(`"total":`):]))
	return strconv.AppendInt([]byte(`"total":`), int64(n+w.history.Surplus), 10)
}

// unexpectedFields are field values that do not make a list unusable (W7): the text in a body,
// and its replacement.
var unexpectedFields = [][2]string{
	{`"muted":false`, `"muted":null`},
	{`"muted":false`, `"is_muted":[]`},
	{`"muted":true`, `"muted":{"by":"host"}`},
	{`"muted":true`, `"muted":false,"muted":"true"`},
	{`"muted":true`, `"volume":1,"volume":2,"muted":true`},
	{`"name":"Person 0"`, `"name":"Person \ud83d"`},
	{`"name":"Person 3"`, "\"name\":\"Person \xff\""},
	{`"name":"Person 1"`, `"nick":1`},
	{`"name":"Person 2"`, `"name":null`},
	{`"role":"listener"`, `"role":["listener"]`},
	{`"duration":0`, `"duration":"soon"`},
	{`"joined_at":null`, `"joined_at":"never"`},
	{`"phone_number":""`, `"phone_number":false`},
}
