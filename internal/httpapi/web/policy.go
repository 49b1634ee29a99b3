package web

import "net/http"

// The pages load and call this server only, and have no inline scripts or styles. The docs
// viewer needs inline styles and images.
const (
	dashboardPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " + noFrames
	docsPolicy      = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"connect-src 'self'; " + noFrames
	noFrames = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// secured sets the policy of a page.
func secured(policy string, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		page.ServeHTTP(w, r)
	})
}
