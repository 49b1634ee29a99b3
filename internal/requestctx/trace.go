package requestctx

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

// requestID matches the ids that are safe in logs and headers.
var requestID = regexp.MustCompile(`^[\x21-\x7e]{1,128}$`)

// ValidRequestID returns the caller's request id, or a new one if it is missing or invalid.
func ValidRequestID(given string) string {
	if requestID.MatchString(given) {
		return given
	}
	return rand.Text()
}

// traceparent matches a W3C trace context.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

// ValidTraceparent returns the caller's trace context, or a new one if it is missing or
// invalid.
func ValidTraceparent(given string) string {
	if isTraceparent(given) {
		return given
	}
	var ids [24]byte
	// Read never returns an error.
	_, _ = rand.Read(ids[:])
	return "00-" + hex.EncodeToString(ids[:16]) + "-" + hex.EncodeToString(ids[16:]) + "-00"
}

// isTraceparent also refuses the version ff and ids of zeros, which W3C forbids.
func isTraceparent(given string) bool {
	return traceparent.MatchString(given) && !strings.HasPrefix(given, "ff-") &&
		!strings.Contains(given, "-00000000000000000000000000000000-") && !strings.Contains(given, "-0000000000000000-")
}

// TraceID returns the id of the trace, or the empty string.
func TraceID(parent string) string {
	if parts := traceparent.FindStringSubmatch(parent); parts != nil {
		return parts[1]
	}
	return ""
}
