package server

import (
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

const (
	// maxRequest is the most a request may hold, as over HTTP.
	maxRequest = httpio.MaxBody
	// maxStreams is how many streams a connection may have open: a thousand watched, and
	// some for calls beside them. Over gRPC further ones wait for their turn.
	maxStreams = 1024
)

// limitsOf are the limits of one caller.
func limitsOf(cfg config.Limits) access.Limits {
	return access.Limits{Calls: cfg.CallsPerSecond, Streams: cfg.StreamsPerCaller}
}
