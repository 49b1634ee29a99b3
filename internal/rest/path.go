package rest

import (
	"net/http"
	"net/url"
)

// withRawPath gives the request with its path as it was sent. grpc-gateway decodes each
// segment of it; without it, grpc-gateway would decode once more what net/url has decoded.
func withRawPath(r *http.Request) *http.Request {
	changed := *r
	changed.URL = new(url.URL)
	*changed.URL = *r.URL
	changed.URL.RawPath = r.URL.EscapedPath()
	return &changed
}
