// Package schema is the contract in the forms that clients' tools take: descriptors,
// OpenAPI, the service config, and a proto that protoc alone compiles.
package schema

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"net/http"

	"github.com/audian/participant-gateway/gen/openapi"
	"github.com/audian/participant-gateway/internal/asset"
)

//go:generate go run ../../tools/plainproto ../../proto participant_service.proto

// ServiceConfig is what gRPC clients should be given as their default service config.
// It sends List and Remove again when they are UNAVAILABLE, both being safe to repeat.
// Add is never sent again by itself: a phone may be ringing (A1). Watch is opened again
// by the client, which alone knows the token to go on from.
//
//go:embed service_config.json
var ServiceConfig string

//go:embed participant_service.proto
var plainProto []byte

// form is one of the forms of the contract.
type form struct {
	name        string
	contentType string
	says        string
	content     []byte
}

// forms are in the order in which the index tells them.
func forms() []form {
	return []form{
		{
			"participant_service.proto", "text/plain; charset=utf-8",
			"The proto without options and third-party imports: protoc alone compiles it.", plainProto,
		},
		{
			"descriptors.binpb", "application/x-protobuf",
			"A FileDescriptorSet of the full proto and all that it imports, for tools that take no reflection.", Descriptors(),
		},
		{
			"openapi.json", "application/json",
			"The OpenAPI 3.1 document of the HTTP port.", openapi.Document,
		},
		{
			"service_config.json", "application/json",
			"The gRPC service config for clients: List and Remove are sent again when UNAVAILABLE, Add never.", []byte(ServiceConfig),
		},
	}
}

// New returns the handler of /schema, an index, and of the forms below it.
func New() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /schema", asset.New("text/html; charset=utf-8", index()))
	for _, f := range forms() {
		mux.Handle("GET /schema/"+f.name, asset.New(f.contentType, f.content))
	}
	return mux
}

func index() []byte {
	var page bytes.Buffer
	page.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Schema</title>\n<h1>Schema</h1>\n<dl>\n")
	for _, f := range forms() {
		fmt.Fprintf(&page, "<dt><a href=\"/schema/%[1]s\">%[1]s</a></dt><dd>%[2]s</dd>\n", f.name, html.EscapeString(f.says))
	}
	page.WriteString("</dl>\n")
	return page.Bytes()
}
