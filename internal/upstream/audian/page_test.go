package audian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// pagesOf answers with one body for each start_key, "" being the first.
func pagesOf(bodies map[string]string) *upstream {
	return &upstream{answer: func(r *http.Request) (*http.Response, error) {
		body, ok := bodies[r.URL.Query().Get("start_key")]
		if !ok {
			return reply(404, ""), nil
		}
		return reply(200, body), nil
	}}
}

func TestW07_ListIsAllItsPages(t *testing.T) {
	u := pagesOf(map[string]string{
		"":    `{"participants":[{"id":"a","name":"old"},{"id":"b"},{"name":"nobody"}],"total":5,"active":3,"next_start_key":"k 2"}`,
		"k 2": `{"participants":[{"id":"c"},{"id":"a","name":"new"}],"total":4,"active":2,"next_start_key":""}`,
	})
	asked := 0
	list, err := client(t, u).List(t.Context(), "conf", Pacing{Next: func(context.Context) error { asked++; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	var items []string
	for _, item := range list.Items {
		items = append(items, item.ID+item.Name+item.ConferenceID)
	}
	if got := strings.Join(items, " "); got != "anewconf bconf cconf" {
		t.Errorf("items %s", got)
	}
	if list.Pages != 2 || list.Read != 4 || *list.Total != 4 || *list.Active != 2 || !list.Complete() || asked != 1 {
		t.Errorf("got %+v, asked %d times", list, asked)
	}
	if list.Ended.Before(list.Began) || list.Began.IsZero() {
		t.Errorf("began %v, ended %v", list.Began, list.Ended)
	}
}

// TestW07_ALaterPageIsMissing makes a page after the first unreadable: the list contains
// the pages before it, and the error.
func TestW07_ALaterPageIsMissing(t *testing.T) {
	const first = `{"data":[{"id":"a"}],"next_start_key":"k"}`
	then := func(body string) *upstream { return pagesOf(map[string]string{"": first, "k": body}) }
	endless := &upstream{}
	endless.answer = func(*http.Request) (*http.Response, error) {
		return reply(200, fmt.Sprintf(`{"data":[{"id":"a"}],"next_start_key":"%d"}`, len(endless.requests))), nil
	}
	for name, test := range map[string]struct {
		upstream *upstream
		reason   apierror.Reason
		pages    int
	}{
		"a circle":                 {then(`{"data":[],"next_start_key":"k"}`), apierror.UpstreamIncomplete, 2},
		"no end":                   {endless, apierror.UpstreamIncomplete, maxPages},
		"a 404 of a proxy":         {pagesOf(map[string]string{"": first}), apierror.UpstreamUnavailable, 1},
		"the upstream's 404":       {then(`{"error":404,"status":"error"}`), apierror.ConferenceNotFound, 1},
		"an item that is a number": {then(`{"data":[1]}`), apierror.UpstreamUndecodable, 1},
		"null":                     {then(`{"participants":null}`), apierror.UpstreamUndecodable, 1},
		"too many items":           {then(`{"data":[` + manyItems(maxItems) + `]}`), apierror.UpstreamIncomplete, 1},
		"a key that is an object":  {always(200, `{"data":[{"id":"a"}],"next_start_key":{"x":1}}`), apierror.UpstreamUndecodable, 1},
		"a key that is true":       {always(200, `{"data":[{"id":"a"}],"next_start_key":true}`), apierror.UpstreamUndecodable, 1},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := client(t, test.upstream).List(t.Context(), "c", Pacing{})
			if err != nil || list.Complete() || list.Pages != test.pages || len(list.Items) != 1 || list.Items[0].ID != "a" {
				t.Fatalf("got %+v, %v", list, err)
			}
			if apiError(t, list.PageErr).Reason != test.reason {
				t.Errorf("unread because of %v, want %s", list.PageErr, test.reason)
			}
		})
	}
}

// TestW07_TheFirstPageIsMissing makes the first page unreadable.
func TestW07_TheFirstPageIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		upstream *upstream
		reason   apierror.Reason
	}{
		"too many items":  {always(200, `{"data":[`+manyItems(maxItems+1)+`]}`), apierror.UpstreamIncomplete},
		"too many blanks": {always(200, `{"data":[`+strings.Repeat("{},", 750_000)+`{}]}`), apierror.UpstreamIncomplete},
		"error in a 200":  {always(200, `{"data":[],"status":"error","error":"503"}`), apierror.UpstreamUnavailable},
		"a part":          {always(206, `{"data":[]}`), apierror.UpstreamUndecodable},
		"no content":      {always(204, ``), apierror.UpstreamUndecodable},
		"accepted":        {always(202, ``), apierror.UpstreamUndecodable},
	} {
		list, err := client(t, test.upstream).List(t.Context(), "c", Pacing{})
		if apiError(t, err).Reason != test.reason || list.Items != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// manyItems are the members of an array of n participants.
func manyItems(n int) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"id":"%d"}`, i)
	}
	return strings.Join(items, ",")
}

func TestW07_TheLargestListIsRead(t *testing.T) {
	list, err := client(t, always(200, `{"data":[`+manyItems(maxItems)+`]}`)).List(t.Context(), "c", Pacing{})
	if err != nil || !list.Complete() || len(list.Items) != maxItems {
		t.Errorf("%d items, %v", len(list.Items), err)
	}
}

// TestW07_ItemsBeyondTheBoundCostNothing reads a body of many items, most of which are refused.
func TestW07_ItemsBeyondTheBoundCostNothing(t *testing.T) {
	_, e, ok := readDocument([]byte(`{"data":[` + strings.Repeat("{},", 500_000) + `{}]}`))
	if !ok {
		t.Fatal("not read")
	}
	reported := 0
	if _, err := decodePage(e, 10, func(string) { reported++ }); err == nil || reported != 10 {
		t.Errorf("%d items were decoded, %v", reported, err)
	}
}

func TestW07_PlaceholdersAreEmptyLists(t *testing.T) {
	for _, body := range []string{
		`{"participants":null}`, `{"participants":{}}`, `{"participants":{ }, "total":0}`, `{"participants":null,"total":null}`,
		`{"participants":null,"total":"0","active":0}`, `{"data":{"participants":null,"total":0},"status":"success"}`,
		`{"data":{"participants":{}}}`,
	} {
		list, err := client(t, always(200, body)).List(t.Context(), "c", Pacing{})
		if err != nil || !list.Placeholder || !list.Complete() || len(list.Items) != 0 || list.Pages != 1 {
			t.Errorf("%s: got %+v, %v", body, list, err)
		}
	}
	list, err := client(t, always(200, `{"participants":[],"total":0}`)).List(t.Context(), "c", Pacing{})
	if err != nil || list.Placeholder {
		t.Errorf("an array: got %+v, %v", list, err)
	}
}

// TestW07_ACancelledListIsAnError cancels the call between two pages, and while the
// second is read.
func TestW07_ACancelledListIsAnError(t *testing.T) {
	for name, read := range map[string]int{"between two pages": 1, "while a page is read": 2} {
		ctx, cancel := context.WithCancel(t.Context())
		u := &upstream{}
		u.answer = func(r *http.Request) (*http.Response, error) {
			if len(u.requests) == read {
				cancel()
			}
			if read == 2 && len(u.requests) == 2 {
				return nil, r.Context().Err()
			}
			return reply(200, `{"data":[],"next_start_key":"k"}`), nil
		}
		list, err := client(t, u).List(ctx, "c", Pacing{Next: func(ctx context.Context) error { return ctx.Err() }})
		if !errors.Is(err, context.Canceled) || list.Pages != 0 || list.PageErr != nil {
			t.Errorf("%s: got %+v, %v", name, list, err)
		}
		cancel()
	}
}

func TestTotalLargerThanRead(t *testing.T) {
	list, err := client(t, always(200, `{"participants":[{"id":"a"}],"total":2}`)).List(t.Context(), "c", Pacing{})
	if err != nil || list.Complete() {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestListStopsIfPacingFails(t *testing.T) {
	stop := errors.New("stop")
	u := pagesOf(map[string]string{"": `{"data":[],"next_start_key":"a"}`})
	_, err := client(t, u).List(t.Context(), "c", Pacing{Next: func(context.Context) error { return stop }})
	if !errors.Is(err, stop) || len(u.requests) != 1 {
		t.Errorf("%d requests, %v", len(u.requests), err)
	}
}

// TestList_KeepsNothingOfTheBody reads lists one after another: the memory of a body may be that of
// the next one, so that the list before must not use it.
func TestList_KeepsNothingOfTheBody(t *testing.T) {
	answers := 0
	u := &upstream{answer: func(*http.Request) (*http.Response, error) {
		answers++
		return reply(200, strings.ReplaceAll(`{"participants":[{"id":"aN","name":"xN","phone_number":"N","role":"rN","status":"sN"}]}`,
			"N", strings.Repeat(fmt.Sprint(answers), 9))), nil
	}}
	c := client(t, u)
	for n := range 20 {
		list, err := c.List(t.Context(), "conf", Pacing{})
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(list.Items)
		if _, err := c.List(t.Context(), "conf", Pacing{}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(list.Items); got != before {
			t.Fatalf("list %d was %s, is %s after the next", n, before, got)
		}
	}
}

// TestDistinct has lists with and without an id that occurs twice.
func TestDistinct(t *testing.T) {
	for count := range 200 {
		items := make([]participant.Item, count)
		for i := range items {
			items[i].ID = fmt.Sprint(i)
		}
		if !distinct(items) {
			t.Errorf("%d ids are not distinct", count)
		}
		if count > 1 {
			items[count/2].ID = items[count-1].ID
		}
		if count > 2 && distinct(items) {
			t.Errorf("%d ids, one of them twice, are distinct", count)
		}
	}
}
