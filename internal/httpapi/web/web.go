// Package web serves the pages of the HTTP port: the dashboard, which shows a conference
// live, the API's documentation, and the schema files. All files are embedded: no page
// loads anything from another server.
package web

import (
	"embed"
	"io/fs"
	"maps"
	"net/http"

	"github.com/swaggest/swgui/v5emb"

	"github.com/audian/participant-gateway/gen/openapi"
)

//go:embed dashboard docs
var files embed.FS

const (
	htmlType   = "text/html; charset=utf-8"
	cssType    = "text/css; charset=utf-8"
	scriptType = "text/javascript; charset=utf-8"
	svgType    = "image/svg+xml"
)

// Pages returns the pages by their patterns for http.ServeMux, each "GET " and a path.
func Pages() map[string]http.Handler {
	pages := map[string]http.Handler{
		"GET /openapi.json": static("application/json", func() []byte { return openapi.Document }),

		"GET /{$}":         secured(dashboardPolicy, file(htmlType, "dashboard/index.html")),
		"GET /favicon.svg": file(svgType, "dashboard/favicon.svg"),

		"GET /docs":          secured(docsPolicy, file(htmlType, "docs/index.html")),
		"GET /docs/{$}":      http.RedirectHandler("/docs", http.StatusMovedPermanently),
		"GET /docs/start.js": file(scriptType, "docs/start.js"),
		"GET /docs/page.css": file(cssType, "docs/page.css"),
	}
	maps.Copy(pages, dashboardFiles())
	maps.Copy(pages, schemaPages())
	viewer := v5emb.New("", "", "/docs/")
	for _, name := range viewerFiles {
		pages["GET /docs/"+name] = viewer
	}
	return pages
}

// dashboardFiles returns the dashboard's scripts and styles.
func dashboardFiles() map[string]http.Handler {
	pages := map[string]http.Handler{}
	for pattern, contentType := range map[string]string{"dashboard/*.js": scriptType, "dashboard/*.css": cssType} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			panic("web: " + err.Error()) // The patterns are valid.
		}
		for _, name := range names {
			pages["GET /"+name] = file(contentType, name)
		}
	}
	return pages
}

// viewerFiles are the files of the embedded viewer that the docs page uses. The viewer's
// own page has an inline script, which the policy forbids.
var viewerFiles = []string{"swagger-ui.css", "swagger-ui-bundle.js"}

func file(contentType, name string) http.Handler {
	return static(contentType, func() []byte {
		content, err := files.ReadFile(name)
		if err != nil {
			panic("web: " + err.Error()) // Embedded files exist.
		}
		return content
	})
}
