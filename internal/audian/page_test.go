package audian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

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

func TestW07_IncompleteLists(t *testing.T) {
	endlessly := &upstream{}
	endlessly.answer = func(*http.Request) (*http.Response, error) {
		return reply(200, fmt.Sprintf(`{"data":[],"next_start_key":"%d"}`, len(endlessly.requests))), nil
	}
	var many strings.Builder
	for n := range maxItems + 1 {
		fmt.Fprintf(&many, `{"id":"%d"},`, n)
	}
	for name, test := range map[string]struct {
		upstream *upstream
		reason   participant.Reason
	}{
		"a circle": {
			pagesOf(map[string]string{"": `{"data":[],"next_start_key":"a"}`, "a": `{"data":[],"next_start_key":"b"}`, "b": `{"data":[],"next_start_key":"a"}`}),
			participant.UpstreamIncomplete,
		},
		"no end":       {endlessly, participant.UpstreamIncomplete},
		"too many":     {always(200, `{"data":[`+strings.TrimSuffix(many.String(), ",")+`]}`), participant.UpstreamIncomplete},
		"a lost page":  {pagesOf(map[string]string{"": `{"data":[],"next_start_key":"a"}`}), participant.ConferenceNotFound},
		"an odd page":  {pagesOf(map[string]string{"": `{"data":[],"next_start_key":"a"}`, "a": `{"data":[1]}`}), participant.UpstreamUndecodable},
		"error in 200": {always(200, `{"data":[],"status":"error","error":"503"}`), participant.UpstreamUnavailable},
	} {
		list, err := client(t, test.upstream).List(t.Context(), "c", Pacing{})
		if told(t, err).Reason != test.reason || list.Items != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTotalLargerThanRead(t *testing.T) {
	list, err := client(t, always(200, `{"participants":[{"id":"a"}],"total":2}`)).List(t.Context(), "c", Pacing{})
	if err != nil || list.Complete() {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestListStopsWhereItMayNotGoOn(t *testing.T) {
	stop := errors.New("stop")
	u := pagesOf(map[string]string{"": `{"data":[],"next_start_key":"a"}`})
	_, err := client(t, u).List(t.Context(), "c", Pacing{Next: func(context.Context) error { return stop }})
	if !errors.Is(err, stop) || len(u.requests) != 1 {
		t.Errorf("%d requests, %v", len(u.requests), err)
	}
}
