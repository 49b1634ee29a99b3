package wire

import (
	"strings"
	"unicode"
)

// SSE is the block of one server-sent event. An empty id is left out, so that the
// client keeps the one it has. Data must be one line, as JSON here is.
func SSE(id, event string, data []byte) []byte {
	block := make([]byte, 0, len(id)+len(event)+len(data)+len("id: \nevent: \ndata: \n\n"))
	if id != "" && !strings.ContainsFunc(id, breaksField) {
		block = append(append(append(block, "id: "...), id...), '\n')
	}
	block = append(append(append(block, "event: "...), event...), '\n')
	block = append(append(append(block, "data: "...), data...), '\n')
	return append(block, '\n')
}

// breaksField says that a character ends a field, at least for some line readers, or
// makes a client ignore an id. No token of ours has one; but a stream's first messages may
// carry the token that the client made up.
func breaksField(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }
