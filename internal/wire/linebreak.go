package wire

import "bytes"

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
