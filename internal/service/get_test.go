package service

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/write"
)

// oneAccount is the account of every caller. Its feeds poll one upstream, and its
// shared lists are what the test sets.
type oneAccount struct {
	write.Upstream // No Get calls it.

	polled *feedtest.Upstream

	list  participant.List
	err   error
	lists int
}

func (a *oneAccount) For(access.Caller) (Account, error) { return a, nil }

func (a *oneAccount) Fingerprint() participant.Fingerprint { return a.polled.Fingerprint() }

func (a *oneAccount) OpenSource(ctx context.Context, conference string) feed.Source {
	return a.polled.OpenSource(ctx, conference)
}

func (a *oneAccount) List(context.Context, string) (participant.List, error) {
	return participant.List{}, errors.New("a list that is not shared")
}

func (a *oneAccount) ListShared(context.Context, string) (participant.List, error) {
	a.lists++
	return a.list, a.err
}

// headers records the headers that a handler sets.
type headers struct {
	grpc.ServerTransportStream

	set metadata.MD
}

func (h *headers) SetHeader(md metadata.MD) error {
	h.set = metadata.Join(h.set, md)
	return nil
}

// get calls GetParticipant, and returns the header that names the source as well.
func get(t *testing.T, s *Service, id string) (found *v2.Participant, source string, err error) {
	t.Helper()
	recorded := &headers{}
	response, err := s.GetParticipant(grpc.NewContextWithServerTransportStream(t.Context(), recorded),
		&v2.GetParticipantRequest{ConferenceId: "conf", ParticipantId: id})
	for _, value := range recorded.set.Get("participant-source") {
		source += value
	}
	return response.GetParticipant(), source, err
}

// TestA07_AListAnswersWithoutAFeed answers from lists of all kinds.
func TestA07_AListAnswersWithoutAFeed(t *testing.T) {
	total := func(list participant.List, n int) participant.List {
		list.Total = &n
		return list
	}
	short := listOf("a connected")
	short.PageErr = &apierror.Error{
		Reason: apierror.ConferenceNotFound, UpstreamStatus: 404, FromUpstream: true, UpstreamRequestID: "u1", RetryAfter: time.Second,
	}
	refused := &apierror.Error{Reason: apierror.ConferenceNotFound, Message: "m"}
	for name, test := range map[string]struct {
		list   participant.List
		err    error
		reason apierror.Reason
	}{
		"listed":                                     {people, nil, ""},
		"listed, though the total is larger":         {total(people, 9), nil, ""},
		"listed, though a later page is missing":     {short, nil, ""},
		"not listed":                                 {listOf("b held"), nil, apierror.ParticipantNotFound},
		"an empty list":                              {total(listOf(), 0), nil, apierror.ParticipantNotFound},
		"not listed, and the total is smaller":       {total(listOf("b held"), 0), nil, apierror.ParticipantNotFound},
		"not listed, and the total is larger":        {total(listOf("b held"), 2), nil, apierror.UpstreamIncomplete},
		"not listed, and a later page is missing":    {participant.List{PageErr: short.PageErr}, nil, apierror.UpstreamIncomplete},
		"not listed, and a page failed in any other": {participant.List{PageErr: errors.New("x")}, nil, apierror.UpstreamIncomplete},
		"no list": {participant.List{}, refused, apierror.ConferenceNotFound},
	} {
		account := &oneAccount{list: test.list, err: test.err, polled: feedtest.New()}
		hub := feed.NewHub(feed.Options{Logger: slog.New(slog.DiscardHandler)})
		found, source, err := get(t, New(Options{Accounts: account, Feeds: hub}), "a")
		if opened, _ := account.polled.Sources(); opened != 0 || account.lists != 1 {
			t.Errorf("%s: %d feeds, %d lists", name, opened, account.lists)
		}
		if test.reason == "" {
			if err != nil || source != "list" || found.GetId() != "a" {
				t.Errorf("%s: got %v from %q, %v", name, found, source, err)
			}
			continue
		}
		failed, _ := errors.AsType[*apierror.Error](err)
		if failed == nil || failed.Reason != test.reason || failed.FromUpstream || source != "" {
			t.Errorf("%s: got %v from %q, %v", name, found, source, err)
		}
	}
}

// TestA07_AFreshFeedAnswers answers from a feed, and from a list where that does not hold the
// participant or is stale.
func TestA07_AFreshFeedAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := feed.NewHub(feed.Options{
			PollInterval: time.Second, MaxPollInterval: time.Second, History: 100, Logger: slog.New(slog.DiscardHandler),
		})
		defer hub.Close()
		account := &oneAccount{list: listOf("a held", "b held"), polled: feedtest.New()}
		account.polled.Set("a", participant.StatusConnected)
		_, release, err := hub.Acquire(t.Context(), account, "conf")
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		synctest.Wait()
		service := New(Options{Accounts: account, Feeds: hub})
		expect := func(id, source string, status v2.ParticipantStatus) {
			t.Helper()
			found, from, err := get(t, service, id)
			if err != nil || from != source || found.GetStatus() != status {
				t.Errorf("%s: got %v from %q, %v", id, found, from, err)
			}
		}
		expect("a", "feed", v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED)
		expect("b", "list", v2.ParticipantStatus_PARTICIPANT_STATUS_HELD)
		if account.lists != 1 {
			t.Errorf("%d lists, want one", account.lists)
		}
		account.polled.Fail(feedtest.Outage(apierror.UpstreamUnavailable))
		time.Sleep(20 * time.Second)
		expect("a", "list", v2.ParticipantStatus_PARTICIPANT_STATUS_HELD)
	})
}
