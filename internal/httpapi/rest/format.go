package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// format encodes a stream for HTTP. Callers must not change the bytes that it returns:
// other streams share them.
type format interface {
	contentType() string
	transport() requestctx.Transport
	// message encodes a message, with the reconnection delay retry unless it is zero.
	message(m *wire.Message, retry time.Duration) ([][]byte, error)
	// failure encodes the last event of a stream that failed.
	failure(st *status.Status, retry time.Duration) [][]byte
}

// formatFor returns SSE if the request's Accept prefers it to NDJSON, or names it and does
// not prefer NDJSON; otherwise NDJSON.
func formatFor(r *http.Request) format {
	accepted := parseAccept(r.Header.Values("Accept"))
	events, named := accepted.weight("text", "event-stream")
	lines, _ := accepted.weight("application", "x-ndjson")
	if events > lines || events > 0 && events == lines && named {
		return sse{}
	}
	return ndjson{}
}

// accept maps each media range of Accept headers to its weight.
type accept map[string]float64

func parseAccept(headers []string) accept {
	accepted := accept{}
	for _, header := range headers {
		for one := range strings.SplitSeq(header, ",") {
			if mediaRange, parameters, err := mime.ParseMediaType(one); err == nil {
				accepted[mediaRange] = parseWeight(parameters["q"])
			}
		}
	}
	return accepted
}

// parseWeight returns 1 for an invalid weight.
func parseWeight(quality string) float64 {
	weight, err := strconv.ParseFloat(quality, 64)
	if err != nil || !(weight >= 0 && weight <= 1) {
		return 1
	}
	return weight
}

// weight returns a type's weight, from the most specific range that matches it, and
// whether that range names the type.
func (a accept) weight(kind, subtype string) (weight float64, named bool) {
	if weight, named = a[kind+"/"+subtype]; named {
		return weight, true
	}
	if weight, matched := a[kind+"/*"]; matched {
		return weight, false
	}
	return a["*/*"], false
}
