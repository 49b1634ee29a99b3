// Package pages are what people see of the HTTP port: the dashboard, which shows a
// conference live, the API's document with a page to read it by, and the contract for
// tools. All is embedded: nothing is loaded from elsewhere.
package pages

import (
	"embed"
	"maps"
	"net/http"

	"github.com/swaggest/swgui/v5emb"

	"github.com/audian/participant-gateway/gen/openapi"
	"github.com/audian/participant-gateway/internal/asset"
	"github.com/audian/participant-gateway/internal/schema"
)

//go:embed dashboard docs
var files embed.FS

const (
	html       = "text/html; charset=utf-8"
	css        = "text/css; charset=utf-8"
	javascript = "text/javascript; charset=utf-8"
	svg        = "image/svg+xml"
)

// New returns the pages by their patterns of http.ServeMux.
func New() map[string]http.Handler {
	pages := map[string]http.Handler{
		"GET /openapi.json": asset.New("application/json", openapi.Document),

		"GET /{$}":         secured(dashboardPolicy, file(html, "dashboard/index.html")),
		"GET /favicon.svg": file(svg, "dashboard/favicon.svg"),

		"GET /docs":          secured(docsPolicy, file(html, "docs/index.html")),
		"GET /docs/{$}":      http.RedirectHandler("/docs", http.StatusMovedPermanently),
		"GET /docs/start.js": file(javascript, "docs/start.js"),
		"GET /docs/page.css": file(css, "docs/page.css"),
	}
	pages["GET /dashboard/page.css"] = file(css, "dashboard/page.css")
	for _, module := range modules {
		pages["GET /dashboard/"+module] = file(javascript, "dashboard/"+module)
	}
	maps.Copy(pages, schema.Pages())
	pages["GET /schema"] = secured(dashboardPolicy, pages["GET /schema"])
	viewer := v5emb.New("", "", "/docs/")
	for _, part := range viewerParts {
		pages["GET /docs/"+part] = viewer
	}
	return pages
}

// modules are the dashboard's scripts.
var modules = []string{"page.js", "stream.js", "roster.js", "view.js", "api.js", "format.js"}

// viewerParts are the embedded viewer's files that the docs page takes. Its own page
// has a script within, which the policy refuses.
var viewerParts = []string{"swagger-ui.css", "swagger-ui-bundle.js"}

func file(contentType, name string) http.Handler {
	content, err := files.ReadFile(name)
	if err != nil {
		panic("pages: " + err.Error()) // It is embedded, or this did not compile.
	}
	return asset.New(contentType, content)
}
