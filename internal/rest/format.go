package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/wire"
)

// format is one of the forms in which a watch is streamed. What it returns is
// written as it is; some of it is shared with other streams.
type format interface {
	contentType() string
	// message is one message; a retry that is not zero goes with it.
	message(m *wire.Message, retry time.Duration) ([][]byte, error)
	// failure is the last event of a stream that failed.
	failure(st *status.Status, retry time.Duration) [][]byte
}

// formatFor is SSE where the request accepts it at least as much as NDJSON and names it,
// or accepts it more; otherwise NDJSON.
func formatFor(r *http.Request) format {
	accepted := acceptOf(r.Header.Values("Accept"))
	events, named := accepted.weight("text", "event-stream")
	lines, _ := accepted.weight("application", "x-ndjson")
	if events > lines || events > 0 && events == lines && named {
		return sse{}
	}
	return ndjson{}
}

// accept is the weight of each media range in Accept headers.
type accept map[string]float64

func acceptOf(headers []string) accept {
	accepted := accept{}
	for _, header := range headers {
		for one := range strings.SplitSeq(header, ",") {
			if mediaRange, parameters, err := mime.ParseMediaType(one); err == nil {
				accepted[mediaRange] = weightOf(parameters["q"])
			}
		}
	}
	return accepted
}

// weightOf takes a weight that is none for the greatest.
func weightOf(quality string) float64 {
	weight, err := strconv.ParseFloat(quality, 64)
	if err != nil || !(weight >= 0 && weight <= 1) {
		return 1
	}
	return weight
}

// weight is how much a type is accepted, by the most specific range that covers it, and
// whether that names the type.
func (a accept) weight(kind, subtype string) (weight float64, named bool) {
	if weight, named = a[kind+"/"+subtype]; named {
		return weight, true
	}
	if weight, covered := a[kind+"/*"]; covered {
		return weight, false
	}
	return a["*/*"], false
}
