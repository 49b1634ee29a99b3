package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
)

// result is the outcome of an operation, before it is encoded as the options ask.
type result struct {
	status int
	// data is the body, nil for none.
	data any

	// code and message are set for an error.
	code    string
	message string
	// enveloped wraps the result in an envelope whatever the options ask.
	enveloped bool
	header    http.Header
}

func success(data any) result { return result{status: http.StatusOK, data: data} }

func failure(status int, message string) result {
	return result{status: status, code: errorCode(status), message: message}
}

func (r result) retryAfter(seconds int) result {
	r.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return r
}

// encode renders a result in the response format of the options.
func (s *Simulator) encode(c *call, a result) response {
	r := response{status: a.status, header: a.header.Clone(), requestID: c.id}
	switch {
	case a.code != "":
		e := errorEnvelope(a.status, a.code, a.message, c.id)
		e.Tokens = c.balance(&s.options)
		return r.json(e)
	case s.options.Envelope || a.enveloped:
		r.status = http.StatusOK // An envelope is a body, so a 204 becomes a 200.
		return r.json(s.wrap(c, a))
	case a.data == nil:
		return r
	default:
		return r.json(a.data)
	}
}

// wrap puts a result into the envelope that some of Audian's documentation shows.
func (s *Simulator) wrap(c *call, a result) envelope {
	e := envelope{
		AuthToken: c.token, Data: a.data,
		RequestID: c.id, Revision: "automatic", Status: "success", Tokens: c.balance(&s.options),
	}
	if e.Tokens == nil {
		e.Tokens = &wireBalance{Remaining: 100}
	}
	if list, isList := a.data.(wireList); isList {
		e.page, list.page = list.page, page{}
		e.Data = list
		if s.options.ListAsData {
			e.Data = list.Participants
		}
	}
	if e.Data == nil {
		e.Data = struct{}{}
	}
	return e
}

// response is an encoded HTTP response, and the point at which its connection is cut.
type response struct {
	status    int
	header    http.Header
	body      []byte
	requestID string
	cut       cut
}

// cut is the point at which a connection is cut; 0 means never.
type cut uint8

const (
	cutMidBody cut = iota + 1
	cutBeforeResponse
)

// json sets the body. Only plain structs are marshalled, which cannot fail.
func (r response) json(v any) response {
	r.body, _ = json.Marshal(v) //nolint:errchkjson // Plain structs of strings and numbers.
	return r.withContentType("application/json")
}

func (r response) withContentType(contentType string) response {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set("Content-Type", contentType)
	return r
}

// clientStatus returns the status that the client receives; 0 for none.
func (r response) clientStatus() int {
	if r.cut == cutBeforeResponse {
		return 0
	}
	return r.status
}

// send writes the response up to its cut. net/http closes the connection when a handler
// panics with ErrAbortHandler.
func (r response) send(w http.ResponseWriter) {
	if r.cut == cutBeforeResponse {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), r.header)
	w.Header().Set("X-Request-ID", r.requestID)
	if r.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	if r.cut == cutMidBody {
		_, _ = w.Write(r.body[:len(r.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(r.body)
}
