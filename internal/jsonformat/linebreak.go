package jsonformat

import "bytes"

// lineBreaks are characters other than CR and LF at which some line readers split, with
// their escapes. JSON contains them only in strings, and does not require escapes.
var lineBreaks = [...]struct{ raw, escaped []byte }{
	{[]byte("\u0085"), []byte(`\u0085`)},
	{[]byte("\u2028"), []byte(`\u2028`)},
	{[]byte("\u2029"), []byte(`\u2029`)},
}

// EscapeLineBreaks escapes in a JSON text the characters at which some line readers
// would split it. It returns json itself if it contains none.
func EscapeLineBreaks(json []byte) []byte {
	for _, c := range lineBreaks {
		if bytes.Contains(json, c.raw) {
			json = bytes.ReplaceAll(json, c.raw, c.escaped)
		}
	}
	return json
}
