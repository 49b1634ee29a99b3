package main

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// mayCallAgain reports whether a later call may succeed. It returns false for errors about
// the call itself: its arguments, its caller, its conference.
func mayCallAgain(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented:
		return false
	default:
		return true
	}
}

const (
	firstDelay   = 250 * time.Millisecond
	longestDelay = 10 * time.Second
)

// delay returns the time to wait before the next call: the RetryInfo of the error, or else
// a time that doubles with each failure in a row. It adds jitter, so that clients that lost
// their connections at the same time do not all call again at the same time.
func delay(err error, failures int) time.Duration {
	wait := min(firstDelay<<min(failures, 10), longestDelay)
	if requested := retryInfo(err); requested > 0 {
		wait = requested
	}
	return wait + rand.N(wait/4+1)
}

func retryInfo(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// sleep waits for d. It returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// enumName returns the name of an enum value without the enum's prefix: CONNECTED.
func enumName(value protoreflect.Enum) string {
	name := string(value.Descriptor().Values().ByNumber(value.Number()).Name())
	prefix := string(value.Descriptor().Values().ByNumber(0).Name())
	return strings.TrimPrefix(name, strings.TrimSuffix(prefix, "UNSPECIFIED"))
}
