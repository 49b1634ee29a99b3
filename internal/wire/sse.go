package wire

import "strings"

// SSE is the block of one server-sent event. An empty id is left out, so that the
// client keeps the one it has. Data must be one line, as JSON here is.
func SSE(id, event string, data []byte) []byte {
	block := make([]byte, 0, len(id)+len(event)+len(data)+len("id: \nevent: \ndata: \n\n"))
	if id != "" && !strings.ContainsAny(id, breaksField) {
		block = append(append(append(block, "id: "...), id...), '\n')
	}
	block = append(append(append(block, "event: "...), event...), '\n')
	block = append(append(append(block, "data: "...), data...), '\n')
	return append(block, '\n')
}

// breaksField ends a field, or makes a client ignore an id. No token of ours has it;
// but a stream's first messages may carry the token that the client made up.
const breaksField = "\r\n\x00"
