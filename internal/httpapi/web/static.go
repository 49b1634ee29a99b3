package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// static serves a file that is part of the binary. Its ETag is a hash of the content: a
// client that has the file gets 304, and the new file after an upgrade.
func static(contentType string, content []byte) http.Handler {
	const hashSize = 16
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:hashSize]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Type", contentType)
		header.Set("ETag", tag)
		header.Set("Cache-Control", "no-cache")
		header.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
