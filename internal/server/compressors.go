package server

import (
	"errors"
	"io"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // Every call takes and answers gzip.
)

// unsupported is a compression that clients of gRPC may use, and this server refuses. It
// is registered all the same: gRPC answers one that is not before any code of ours runs,
// without an ErrorInfo.
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
