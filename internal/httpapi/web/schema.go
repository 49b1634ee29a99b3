package web

import (
	"bytes"
	"fmt"
	"html"
	"net/http"

	"github.com/audian/participant-gateway/internal/schema"
)

// Schema returns the handler of the schema files and their index, below /schema.
func Schema() http.Handler {
	mux := http.NewServeMux()
	for pattern, page := range schemaPages() {
		mux.Handle(pattern, page)
	}
	return mux
}

func schemaPages() map[string]http.Handler {
	files := schema.Files()
	pages := map[string]http.Handler{"GET /schema": secured(dashboardPolicy, static(htmlType, func() []byte { return schemaIndex(files) }))}
	for _, f := range files {
		pages["GET /schema/"+f.Name] = static(f.ContentType, f.Content)
	}
	return pages
}

func schemaIndex(files []schema.File) []byte {
	var page bytes.Buffer
	page.WriteString(schemaHead)
	for _, f := range files {
		fmt.Fprintf(&page, "<dt><a href=\"/schema/%[1]s\">%[1]s</a></dt><dd>%[2]s</dd>\n", f.Name, html.EscapeString(f.Description))
	}
	page.WriteString("</dl>\n</html>\n")
	return page.Bytes()
}

const schemaHead = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Participant Gateway: schema</title>
<h1>Schema</h1>
<p>The API's schema, for tools that generate clients.</p>
<dl>
`
