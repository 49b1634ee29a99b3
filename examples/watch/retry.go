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

// mayCallAgain says whether the same call may go better later. The codes that say no
// are about the call itself: its arguments, its caller, its conference.
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

// delay is how long to wait before calling again: what the service asked for, else
// twice as long with each failure in a row. Neither is exact, so that clients who
// were cut off together do not come back together.
func delay(err error, failures int) time.Duration {
	wait := min(firstDelay<<min(failures, 10), longestDelay)
	if asked := retryInfo(err); asked > 0 {
		wait = asked
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

// sleep returns false when ctx ends first.
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

// word is an enum's value without the enum's name before it: CONNECTED.
func word(value protoreflect.Enum) string {
	name := string(value.Descriptor().Values().ByNumber(value.Number()).Name())
	prefix := string(value.Descriptor().Values().ByNumber(0).Name())
	return strings.TrimPrefix(name, strings.TrimSuffix(prefix, "UNSPECIFIED"))
}
