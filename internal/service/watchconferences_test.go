package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

// nonReadingStream is a stream whose client reads a few messages, and then nothing until the call ends.
type nonReadingStream struct {
	grpc.ServerStream

	left  int
	ended chan struct{}
}

func (s *nonReadingStream) SendMsg(any) error {
	if s.left > 0 {
		s.left--
		return nil
	}
	<-s.ended
	return errors.New("the call has ended")
}

// TestA16_ABlockedClientEndsTheWholeStream has a client that reads both snapshots and nothing more (W12).
func TestA16_ABlockedClientEndsTheWholeStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := feed.NewHub(feed.Options{
			PollInterval: time.Second, MaxPollInterval: time.Second, History: 10, Logger: slog.New(slog.DiscardHandler),
		})
		defer hub.Close()
		watcher, upstream := watch.NewWatcher(hub, watch.Limits{}), feedtest.New()
		upstream.Set("a", participant.StatusConnected)
		var requests []watch.GroupRequest
		for i := range 2 {
			requests = append(requests, watch.GroupRequest{Allowed: t.Context(), Request: watch.Request{
				Account: upstream, Conference: fmt.Sprint("conf", i), Heartbeat: 15 * time.Second,
			}})
		}
		stream, begun := &nonReadingStream{left: 2, ended: make(chan struct{})}, time.Now()
		err := sendFrom(t.Context(), conferences{group: watcher.SubscribeAll(requests)}, stream)
		if took := time.Since(begun); !errors.Is(err, errBlocked) || took < time.Minute || took > 2*time.Minute {
			t.Errorf("ended with %v after %v", err, took)
		}
		close(stream.ended)
		synctest.Wait()
		if got := watcher.Subscribers(); got != 0 {
			t.Errorf("%d subscribers after the end", got)
		}
	})
}

// TestA16_OnlyAWithdrawnConferenceEndsAlone withdraws a right before the call's own context ends.
func TestA16_OnlyAWithdrawnConferenceEndsAlone(t *testing.T) {
	for reason, alone := range map[apierror.Reason]bool{
		apierror.ConferenceNotGranted: true, apierror.RoleNotGranted: false,
		apierror.CredentialInvalid: false, apierror.CredentialExpired: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			hub := feed.NewHub(feed.Options{PollInterval: time.Second, MaxPollInterval: time.Second, Logger: slog.New(slog.DiscardHandler)})
			defer hub.Close()
			allowed, withdraw := context.WithCancelCause(t.Context())
			withdraw(&apierror.Error{Reason: reason})
			messages := conferences{group: watch.NewWatcher(hub, watch.Limits{}).SubscribeAll([]watch.GroupRequest{{
				Allowed: allowed, Request: watch.Request{Account: feedtest.New(), Conference: "conf", Heartbeat: 15 * time.Second},
			}})}
			defer messages.Close()
			message, err := messages.Next(t.Context())
			if isAlone := err == nil && message.Refusal() != nil; isAlone != alone || !alone && apierror.ReasonOf(err) != reason {
				t.Errorf("%s: ended with %v, %v", reason, message, err)
			}
		})
	}
}
