package server

import (
	"context"
	"time"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/write"
)

// Packages feed, write and upstream do not import each other. These types connect them.
var (
	_ service.Accounts    = accounts{}
	_ service.Account     = upstreamAccount{}
	_ write.Recorder      = recorder{}
	_ write.Slot          = (*upstream.Slot)(nil)
	_ write.Record        = (*feed.WriteRecord)(nil)
	_ write.ControlRecord = (*feed.ControlRecord)(nil)
	_ feed.Source         = source{}
)

// accounts implements service.Accounts.
type accounts struct{ registry *upstream.Registry }

func (a accounts) For(caller access.Caller) (service.Account, error) {
	found, err := a.registry.Account(caller.Token.Reveal())
	if err != nil {
		return nil, err
	}
	return upstreamAccount{found}, nil
}

type upstreamAccount struct{ *upstream.Account }

func (a upstreamAccount) OpenSource(ctx context.Context, conference string) feed.Source {
	return source{a.Account.OpenSource(ctx, conference)}
}

// source implements feed.Source.
type source struct{ *upstream.Source }

func (s source) Pace(want, takes time.Duration) feed.Pace {
	return feed.Pace(s.Source.Pace(want, takes))
}

func (a upstreamAccount) Reserve(ctx context.Context, conference, batch string) (write.Slot, error) {
	slot, err := a.Account.Reserve(ctx, conference, batch)
	if err != nil {
		return nil, err
	}
	return slot, nil
}

// recorder implements write.Recorder.
type recorder struct{ hub *feed.Hub }

func (r recorder) Begin(ctx context.Context, key participant.Key) write.Record {
	return r.hub.Begin(ctx, key)
}

func (r recorder) BeginControl(ctx context.Context, key participant.Key) write.ControlRecord {
	return r.hub.BeginControl(ctx, key)
}

func (r recorder) BringForward(ctx context.Context, key participant.Key) {
	r.hub.BringForward(ctx, key)
}
