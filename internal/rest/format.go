package rest

import (
	"mime"
	"net/http"
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

func formatFor(r *http.Request) format {
	for _, accept := range r.Header.Values("Accept") {
		for one := range strings.SplitSeq(accept, ",") {
			if mediaType, with, err := mime.ParseMediaType(one); err == nil && mediaType == sseType && !unwanted(with["q"]) {
				return sse{}
			}
		}
	}
	return ndjson{}
}

// unwanted says that a media type's quality is nought, which means not this one.
func unwanted(quality string) bool {
	return quality != "" && strings.Trim(quality, "0.") == ""
}
