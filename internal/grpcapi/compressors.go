package grpcapi

import (
	"errors"
	"io"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // Registers gzip, which every call accepts.
)

// unsupported is a compression that the gateway refuses. It is registered, because grpc-go
// refuses an unregistered one itself, without an ErrorInfo.
type unsupported struct{ name string }

var _ = registerUnsupported("deflate", "zlib", "snappy", "x-snappy-framed", "zstd", "br", "lz4", "lzma", "bzip2")

func registerUnsupported(names ...string) bool {
	for _, name := range names {
		encoding.RegisterCompressor(unsupported{name})
	}
	return true
}

func (u unsupported) Name() string { return u.name }

func (unsupported) Compress(io.Writer) (io.WriteCloser, error) { return nil, errors.ErrUnsupported }

func (unsupported) Decompress(io.Reader) (io.Reader, error) { return nil, errors.ErrUnsupported }
