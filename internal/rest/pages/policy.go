package pages

import "net/http"

// What a page may load and call: this server alone, and no script or style that
// stands in the page itself. The docs viewer sets styles and has pictures within.
const (
	dashboardPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " + nowhereElse
	docsPolicy      = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"connect-src 'self'; " + nowhereElse
	nowhereElse = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// secured keeps a page to its policy.
func secured(policy string, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		page.ServeHTTP(w, r)
	})
}
