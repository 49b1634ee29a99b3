package connectrpc

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// read returns the request with its whole body, decompressed. If the request cannot be
// read, it records the fault and returns one that connect-go accepts. refuseFault
// then refuses it. A request in gRPC-Web's text form is returned in the binary form; its response
// must be text too.
func (c *call) read(r *http.Request) (read *http.Request, isText bool) {
	r = r.Clone(r.Context())
	suffix, isText := strings.CutPrefix(r.Header.Get("Content-Type"), webText)
	if isText {
		r.Header.Set("Content-Type", webBinary+suffix)
	}
	c.fault = checkHeaders(r)
	var body []byte
	if c.fault == nil {
		body, c.fault = readMessage(c.w, r, isText, c.limit)
	}
	if c.fault != nil {
		makeAcceptable(r)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r, isText
}

// readMessage reads the body, and makes of it one that connect-go accepts.
func readMessage(w http.ResponseWriter, r *http.Request, isText bool, limit int) ([]byte, error) {
	body, err := httpio.ReadBody(w, r, encodedLimit(limit, isText))
	r.Header.Del(contentEncoding)
	if isText && err == nil {
		body, err = decodeBase64(body)
	}
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet {
		var query url.Values
		if query, err = decompressQuery(r.URL.Query(), limit); err == nil {
			r.URL.RawQuery = query.Encode()
		}
		return body, err
	}
	if encoding := messageEncoding(r); encoding != "" {
		body, err = decompressMessage(r.Header.Get(encoding), body, limit)
		r.Header.Del(encoding)
	}
	return body, err
}

// prefixSize is the size of a message's prefix: one byte of flags, four of length.
const prefixSize = 5

// encodedLimit returns the most bytes of a body with a message of at most limit bytes.
func encodedLimit(limit int, isText bool) int {
	limit += prefixSize
	if isText {
		// Each piece of base64 text may be padded.
		limit += limit/3 + limit/16
	}
	return limit
}

// decompressMessage decompresses the only message of a body.
func decompressMessage(encoding string, body []byte, limit int) ([]byte, error) {
	if len(body) < prefixSize || int64(binary.BigEndian.Uint32(body[1:])) != int64(len(body)-prefixSize) {
		const rule = "must be one message"
		return nil, httpio.InvalidBody("the body "+rule, rule, nil)
	}
	message, err := httpio.DecompressMessage(body[0], encoding, body[prefixSize:], limit)
	if err != nil {
		return nil, err
	}
	if len(message) > limit {
		return nil, httpio.BodyTooLarge(limit)
	}
	prefixed := binary.BigEndian.AppendUint32(make([]byte, 1, prefixSize+len(message)), uint32(len(message)))
	return append(prefixed, message...), nil
}

// decodeBase64 decodes text that may have been encoded in several padded pieces.
func decodeBase64(text []byte) ([]byte, error) {
	var decoded []byte
	for piece := range bytes.SplitAfterSeq(bytes.ReplaceAll(text, []byte("=="), []byte("=")), []byte("=")) {
		part, err := base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(piece, "="))
		if err != nil {
			return nil, httpio.InvalidBody("invalid base64 body", "invalid base64", err)
		}
		decoded = append(decoded, part...)
	}
	return decoded, nil
}
