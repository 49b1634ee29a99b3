package histories_test

import (
	"bytes"
	"regexp"
	"strconv"
)

// distort changes a list's body as upstreams do that count, or write, in their own way.
func (w *world) distort(body []byte) []byte {
	if w.history.Surplus != 0 {
		body = totals.ReplaceAllFunc(body, w.overcount)
	}
	// With a total that is too large, null is no list.
	if w.history.Null && (!w.resting || w.history.Surplus == 0) {
		body = bytes.Replace(body, []byte(`"participants":[]`), []byte(`"participants":null`), 1)
	}
	if w.placeholders > 0 {
		w.placeholders--
		w.seen.add(placeholderRead)
		body = []byte(`{"participants":{},"total":0}`)
	}
	if w.history.Odd && !w.resting {
		w.odd++
		way := oddWays[w.odd%len(oddWays)]
		odd := bytes.Replace(body, []byte(way[0]), []byte(way[1]), 1)
		if !bytes.Equal(odd, body) {
			w.seen.add(oddRead)
		}
		body = odd
	}
	return body
}

var totals = regexp.MustCompile(`"total":\d+`)

func (w *world) overcount(total []byte) []byte {
	n, _ := strconv.Atoi(string(total[len(`"total":`):]))
	return strconv.AppendInt([]byte(`"total":`), int64(n+w.history.Surplus), 10)
}

// oddWays are flaws of fields that spoil nothing (W7): what a body holds, and what a list
// has in its place.
var oddWays = [][2]string{
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
