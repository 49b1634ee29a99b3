package openapitest

import "bytes"

// texts returns the JSON texts of a body.
func texts(media string, body []byte) [][]byte {
	switch media {
	case "application/x-ndjson":
		return lines(body)
	case "text/event-stream":
		return events(body)
	default:
		return [][]byte{body}
	}
}

func lines(body []byte) [][]byte {
	var found [][]byte
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		if len(line) > 0 {
			found = append(found, line)
		}
	}
	return found
}

// events returns the data of server-sent events, each of one line.
func events(body []byte) [][]byte {
	var found [][]byte
	for _, line := range lines(body) {
		if data, isData := bytes.CutPrefix(line, []byte("data: ")); isData {
			found = append(found, data)
		}
	}
	return found
}
