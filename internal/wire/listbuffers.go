package wire

import (
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// listBuffers returns a list in the protobuf wire format. gRPC frees the memory after it was sent.
func listBuffers(list *v2.ListParticipantsResponse) (mem.BufferSlice, error) {
	buffer := listPool.Get(proto.Size(list))
	encoded, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend((*buffer)[:0], list)
	if err != nil {
		listPool.Put(buffer)
		return nil, err //nolint:wrapcheck // Marshal adds context.
	}
	*buffer = encoded
	return mem.BufferSlice{mem.NewBuffer(buffer, listPool)}, nil
}

// listPool has the memory of large lists that were sent. gRPC's own pool has buffers of 1 MiB for
// what is larger than 32 KiB, and clears each before its use.
var listPool = new(encodedPool)

// encodedPool is a mem.BufferPool whose buffers contain what they contained before: the user must
// overwrite them.
type encodedPool struct{ large sync.Pool }

// The sizes of the buffers that an encodedPool keeps.
const (
	minPooled = 16 << 10
	maxPooled = 1 << 20
)

func (p *encodedPool) Get(length int) *[]byte {
	if length >= minPooled {
		if buffer, ok := p.large.Get().(*[]byte); ok && cap(*buffer) >= length {
			*buffer = (*buffer)[:length]
			return buffer
		}
	}
	return new(make([]byte, length))
}

func (p *encodedPool) Put(buffer *[]byte) {
	if n := cap(*buffer); minPooled <= n && n <= maxPooled {
		p.large.Put(buffer)
	}
}
