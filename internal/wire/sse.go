package wire

import (
	"strings"
	"unicode"
)

// SSE returns the block of one server-sent event. It omits an empty id, so that the client
// keeps its last one. Data must be one line, as JSON here is.
func SSE(id, event string, data []byte) []byte {
	block := make([]byte, 0, len(id)+len(event)+len(data)+len("id: \nevent: \ndata: \n\n"))
	if id != "" && !strings.ContainsFunc(id, breaksField) {
		block = append(append(append(block, "id: "...), id...), '\n')
	}
	block = append(append(append(block, "event: "...), event...), '\n')
	block = append(append(append(block, "data: "...), data...), '\n')
	return append(block, '\n')
}

// breaksField reports whether a character ends a field, at least for some line readers, or
// makes a client ignore an id. The gateway's tokens have none, but a stream's first
// messages may carry a token that the client invented.
func breaksField(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }
