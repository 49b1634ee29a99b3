package rest

import (
	"context"
	"net/http"
	"sync"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/wire"
)

// listMemory is the memory of a list's JSON. That of 1,000 participants is a quarter of a megabyte,
// so that new memory for each list would be most of the memory of a call.
type listMemory struct{ json []byte }

// maxListMemory bounds the memory that is kept for later lists.
const maxListMemory = 1 << 20

var listMemories = sync.Pool{New: func() any { return new(listMemory) }}

// listInMemory is a list to encode in the memory of its request.
type listInMemory struct {
	list   *v2.ListParticipantsResponse
	memory *listMemory
}

func (l listInMemory) marshal() ([]byte, error) {
	encoded, err := wire.AppendList(l.memory.json[:0], l.list)
	l.memory.json = encoded
	return encoded, err
}

// withListMemory is grpc-gateway's rewriter of responses: marshaler gets what it returns.
func withListMemory(ctx context.Context, response proto.Message) (any, error) {
	list, isList := response.(*v2.ListParticipantsResponse)
	if !isList {
		return response, nil
	}
	routed := routedFrom(ctx)
	routed.memory, _ = listMemories.Get().(*listMemory)
	return listInMemory{list, routed.memory}, nil
}

// release lets later lists use the memory after the response was written. After a failed write
// net/http may still read it: over HTTP/2 a stream can end during a write.
func (m *listMemory) release(w http.ResponseWriter) {
	written, isTimed := w.(*httpio.TimedWriter)
	if m != nil && cap(m.json) <= maxListMemory && isTimed && written.Failed() == nil {
		listMemories.Put(m)
	}
}
