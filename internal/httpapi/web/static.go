package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// static serves a file that is part of the binary. The first request makes its content. Its ETag is a
// hash of the content: a client that has the file gets 304, and the new file after an upgrade.
func static(contentType string, content func() []byte) http.Handler {
	tagged := sync.OnceValues(func() ([]byte, string) {
		const hashSize = 16
		made := content()
		sum := sha256.Sum256(made)
		return made, `"` + hex.EncodeToString(sum[:hashSize]) + `"`
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, tag := tagged()
		header := w.Header()
		header.Set("Content-Type", contentType)
		header.Set("ETag", tag)
		header.Set("Cache-Control", "no-cache")
		header.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
