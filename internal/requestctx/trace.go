package requestctx

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

// requestID is what a caller's id may be, to go into logs and headers.
var requestID = regexp.MustCompile(`^[\x21-\x7e]{1,128}$`)

// FitRequestID is the id that a caller gave its request, or a new one where that is
// missing or not fit to be a header.
func FitRequestID(given string) string {
	if requestID.MatchString(given) {
		return given
	}
	return rand.Text()
}

// traceparent is a W3C trace context.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

// FitTraceparent is the trace context that a caller gave, or that of a new trace where
// it is missing or none.
func FitTraceparent(given string) string {
	if validTraceparent(given) {
		return given
	}
	var ids [24]byte
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(ids[:])
	return "00-" + hex.EncodeToString(ids[:16]) + "-" + hex.EncodeToString(ids[16:]) + "-00"
}

// validTraceparent leaves out what the form alone allows and W3C does not: the version ff,
// and ids that are all zero.
func validTraceparent(given string) bool {
	return traceparent.MatchString(given) && !strings.HasPrefix(given, "ff-") &&
		!strings.Contains(given, "-00000000000000000000000000000000-") && !strings.Contains(given, "-0000000000000000-")
}

// TraceID is the trace's id in a trace context, empty where there is none.
func TraceID(parent string) string {
	if parts := traceparent.FindStringSubmatch(parent); parts != nil {
		return parts[1]
	}
	return ""
}
