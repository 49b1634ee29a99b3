// Package schema contains the API's schema in the formats that clients' tools read:
// OpenAPI, protos that protoc compiles without other files, descriptors, and the gRPC
// service config.
package schema

import (
	_ "embed"

	"github.com/audian/participant-gateway/gen/openapi"
)

//go:generate go run ../../tools/plainproto ../../proto ../../gen/plainproto

// ServiceConfig is the default service config for gRPC clients. It retries List and Remove
// when they are UNAVAILABLE; both are safe to repeat. It never retries Add: a phone may
// already ring (A1). A client opens Watch again itself, since only it has the resume token.
//
//go:embed service_config.json
var ServiceConfig string

// File is the schema in one format, or a part of it.
type File struct {
	Name        string
	ContentType string
	Description string
	// Content makes the content, which is the same each time.
	Content func() []byte
}

// Files returns all files, in the order of the index.
func Files() []File {
	return append([]File{
		{
			"openapi.json", "application/json",
			"The OpenAPI 3.1 document of the HTTP port, for OpenAPI Generator and similar tools.",
			func() []byte { return openapi.Document },
		},
		{
			"proto.zip", "application/zip",
			"The protos below in their folders: protoc compiles them without other files, and gRPC clients need no more.", archive,
		},
		{
			"descriptors.binpb", "application/x-protobuf",
			"A FileDescriptorSet of the full proto, its imports and the error details, for tools without reflection.",
			Descriptors,
		},
		{
			"service_config.json", "application/json",
			"The gRPC service config for clients: retries List and Remove when UNAVAILABLE, never Add.",
			func() []byte { return []byte(ServiceConfig) },
		},
	}, Protos()...)
}
