package wire

import (
	"bytes"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// lineBreaks are the characters beside CR and LF at which some line readers split, and
// their escapes. JSON has them in strings alone, and need not escape them.
var lineBreaks = [...]struct{ raw, escaped []byte }{
	{[]byte("\u0085"), []byte(`\u0085`)},
	{[]byte("\u2028"), []byte(`\u2028`)},
	{[]byte("\u2029"), []byte(`\u2029`)},
}

// EscapeLineBreaks escapes in a JSON text the characters at which some line readers
// would split it. It returns the text itself where there is none.
func EscapeLineBreaks(json []byte) []byte {
	for _, c := range lineBreaks {
		if bytes.Contains(json, c.raw) {
			json = bytes.ReplaceAll(json, c.raw, c.escaped)
		}
	}
	return json
}

// WithoutLineBreaks is a status with spaces for those characters, for a library that
// writes it as JSON and escapes only some of them.
func WithoutLineBreaks(st *status.Status) *status.Status {
	text, err := protojson.Marshal(st.Proto())
	if err != nil || bytes.Equal(text, EscapeLineBreaks(text)) {
		return st
	}
	replaced := &spb.Status{}
	if err := protojson.Unmarshal([]byte(spaces.Replace(string(text))), replaced); err != nil {
		return st
	}
	return status.FromProto(replaced)
}

var spaces = strings.NewReplacer("\u0085", " ", "\u2028", " ", "\u2029", " ")
