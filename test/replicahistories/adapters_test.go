package replicahistories_test

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

// Like package server, this connects packages feed and write with upstream.
type accounts struct {
	replica  *replica
	registry *upstream.Registry
}

func (a accounts) For(access.Caller) (service.Account, error) {
	return account{a.registry.Own(), a.replica}, nil
}

type account struct {
	*upstream.Account

	replica *replica
}

func (a account) OpenSource(ctx context.Context, conference string) feed.Source {
	return source{a.Account.OpenSource(ctx, conference), a.replica}
}

func (a account) Reserve(ctx context.Context, conference, batch string) (write.Slot, error) {
	slot, err := a.Account.Reserve(ctx, conference, batch)
	if err != nil {
		return nil, err
	}
	return slot, nil
}

// source reports each poll to the world.
type source struct {
	*upstream.Source

	replica *replica
}

func (s source) List(ctx context.Context) (participant.List, error) {
	end := s.replica.world.polls.begin(s.replica)
	list, err := s.Source.List(ctx)
	end(ctx.Err() == nil)
	return list, err
}

func (s source) Pace(want, takes time.Duration) feed.Pace {
	return feed.Pace(s.Source.Pace(want, takes))
}

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
