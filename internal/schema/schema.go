// Package schema is the contract in the forms that clients' tools take: OpenAPI, protos
// that protoc alone compiles, descriptors, and the gRPC service config.
package schema

import (
	"bytes"
	"embed"
	"fmt"
	"html"
	"net/http"

	"github.com/audian/participant-gateway/gen/openapi"
	"github.com/audian/participant-gateway/internal/asset"
)

//go:generate go run ../../tools/plainproto ../../proto proto

// ServiceConfig is what gRPC clients should be given as their default service config.
// It sends List and Remove again when they are UNAVAILABLE, both being safe to repeat.
// Add is never sent again by itself: a phone may be ringing (A1). Watch is opened again
// by the client, which alone knows the token to go on from.
//
//go:embed service_config.json
var ServiceConfig string

//go:embed proto
var protos embed.FS

// form is one of the forms of the contract.
type form struct {
	name        string
	contentType string
	about       string
	content     []byte
}

// forms are in the order of the index.
func forms() []form {
	return append([]form{
		{
			"openapi.json", "application/json",
			"The OpenAPI 3.1 document of the HTTP port, for OpenAPI Generator and the like.", openapi.Document,
		},
		{
			"proto.zip", "application/zip",
			"The protos below in their folders: protoc alone compiles them, and gRPC clients need no more.", archive(),
		},
		{
			"descriptors.binpb", "application/x-protobuf",
			"A FileDescriptorSet of the full proto, all that it imports and the details of errors, for tools that take no reflection.",
			Descriptors(),
		},
		{
			"service_config.json", "application/json",
			"The gRPC service config for clients: List and Remove are sent again when UNAVAILABLE, Add never.", []byte(ServiceConfig),
		},
	}, protoForms()...)
}

// Pages are an index at /schema and the forms below it, by their patterns of
// http.ServeMux.
func Pages() map[string]http.Handler {
	all := forms()
	pages := map[string]http.Handler{"GET /schema": asset.New("text/html; charset=utf-8", index(all))}
	for _, f := range all {
		pages["GET /schema/"+f.name] = asset.New(f.contentType, f.content)
	}
	return pages
}

// New returns the handler of the Pages.
func New() http.Handler {
	mux := http.NewServeMux()
	for pattern, page := range Pages() {
		mux.Handle(pattern, page)
	}
	return mux
}

func index(all []form) []byte {
	var page bytes.Buffer
	page.WriteString(head)
	for _, f := range all {
		fmt.Fprintf(&page, "<dt><a href=\"/schema/%[1]s\">%[1]s</a></dt><dd>%[2]s</dd>\n", f.name, html.EscapeString(f.about))
	}
	page.WriteString("</dl>\n</html>\n")
	return page.Bytes()
}

const head = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Participant Gateway: schema</title>
<h1>Schema</h1>
<p>The contract of the participant gateway, for tools that make clients.</p>
<dl>
`
