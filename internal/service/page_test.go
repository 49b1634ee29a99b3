package service

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// listOf is a list of people, each given as "id status".
func listOf(people ...string) participant.List {
	var list participant.List
	for _, text := range people {
		id, status, _ := strings.Cut(text, " ")
		list.Items = append(list.Items, participant.Item{Participant: participant.Participant{ID: id, Status: participant.Status(status)}})
	}
	list.Read = len(people)
	return list
}

func ids(response *v2.ListParticipantsResponse) string {
	var ids []string
	for _, p := range response.GetParticipants() {
		ids = append(ids, p.GetId())
	}
	return strings.Join(ids, " ")
}

var people = listOf("c connected", "a held", "d pending", "b connected")

func TestPage_WithoutASizeIsAllInTheUpstreamsOrder(t *testing.T) {
	response := page(people, participant.Filter{}, 0, "")
	if got := ids(response); got != "c a d b" || response.GetNextPageToken() != "" {
		t.Errorf("got %q, then %q", got, response.GetNextPageToken())
	}
	if response.GetTotal() != 4 || response.GetActive() != 3 {
		t.Errorf("counted %d and %d", response.GetTotal(), response.GetActive())
	}
}

func TestPage_CountsAreTheUpstreamsOfTheWholeConference(t *testing.T) {
	total, active := 9, 7
	list := people
	list.Total, list.Active = &total, &active
	response := page(list, participant.NewFilter([]participant.Status{participant.StatusHeld}, nil, nil), 1, "")
	if ids(response) != "a" || response.GetTotal() != 9 || response.GetActive() != 7 {
		t.Errorf("got %v", response)
	}
}

func TestPage_PagesAreAllOfItOnce(t *testing.T) {
	for size := range 6 {
		var read []string
		after := ""
		for {
			response := page(people, participant.Filter{}, int32(size+1), after)
			read = append(read, ids(response))
			if response.GetNextPageToken() == "" {
				break
			}
			var err error
			if after, err = parsePageToken(response.GetNextPageToken(), participant.Filter{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(read, " "); got != "a b c d" {
			t.Errorf("pages of %d: got %q", size+1, got)
		}
	}
}

func TestPage_HoldsAThousandAtMost(t *testing.T) {
	var many []string
	for n := range 1001 {
		many = append(many, fmt.Sprintf("p%04d held", n))
	}
	response := page(listOf(many...), participant.Filter{}, 5000, "")
	if len(response.GetParticipants()) != 1000 || response.GetNextPageToken() == "" {
		t.Errorf("got %d, then %q", len(response.GetParticipants()), response.GetNextPageToken())
	}
}

func TestPageToken_GoesOnAfterWhoIsGone(t *testing.T) {
	if got := ids(page(listOf("a held", "c held", "d held"), participant.Filter{}, 2, "b")); got != "c d" {
		t.Errorf("got %q", got)
	}
}

func TestPageToken_OthersAreRefused(t *testing.T) {
	held := participant.NewFilter([]participant.Status{participant.StatusHeld}, nil, nil)
	token := pageToken(held, "a")
	for name, test := range map[string]struct {
		text   string
		filter participant.Filter
	}{
		"another filter": {token, participant.Filter{}},
		"other text":     {"x", held},
		"cut short":      {token[:len(token)-4], held},
		"no id":          {pageToken(held, ""), held},
		"broken":         {token + "!", held},
		"of a stream":    {"pgw1.abc", held},
	} {
		_, err := parsePageToken(test.text, test.filter)
		if refusal, ok := errors.AsType[*apierror.Error](err); !ok || refusal.Reason != apierror.InvalidPageToken || len(refusal.Violations) != 1 {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if after, err := parsePageToken(token, held); err != nil || after != "a" {
		t.Errorf("its own: got %q, %v", after, err)
	}
}

func FuzzPageToken(f *testing.F) {
	f.Add("pgl1.AAAA")
	f.Add(pageToken(participant.Filter{}, "part_xyz789"))
	f.Fuzz(func(t *testing.T, text string) {
		after, err := parsePageToken(text, participant.Filter{})
		if err == nil && text != "" && pageToken(participant.Filter{}, after) != text {
			t.Errorf("%q was read as %q", text, after)
		}
	})
}
