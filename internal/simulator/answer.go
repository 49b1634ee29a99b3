package simulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
)

// answer is what an operation has to say, before it takes the form that the options
// ask for.
type answer struct {
	status int
	// data is the body, nil where there is none.
	data any

	// code and message are of an error.
	code    string
	message string
	// always says that this answer has an envelope whatever the options say.
	always bool
	header http.Header
}

// succeed answers with a body.
func succeed(data any) answer { return answer{status: http.StatusOK, data: data} }

// refuse answers with the vendor's error.
func refuse(status int, message string) answer {
	return answer{status: status, code: wordFor(status), message: message}
}

func (a answer) retryAfter(seconds int) answer {
	a.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return a
}

// form gives an answer the shape that the vendor played here gives it.
func (s *Simulator) form(c *call, a answer) reply {
	r := reply{status: a.status, header: a.header.Clone(), requestID: c.id}
	switch {
	case a.code != "":
		e := problem(a.status, a.code, a.message, c.id)
		e.Tokens = c.balance(&s.options)
		return r.json(e)
	case s.options.Envelope || a.always:
		r.status = http.StatusOK // An envelope is a body, so a 204 is a 200.
		return r.json(s.wrap(c, a))
	case a.data == nil:
		return r
	default:
		return r.json(a.data)
	}
}

// wrap puts an answer into the envelope of the vendor's other pages.
func (s *Simulator) wrap(c *call, a answer) envelope {
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

// reply is an answer in bytes, and how much of it leaves.
type reply struct {
	status    int
	header    http.Header
	body      []byte
	requestID string
	cut       cut
}

// cut says where the connection breaks.
type cut uint8

// Where it can break; 0 is nowhere.
const (
	// cutHalf breaks it in the middle of the body.
	cutHalf cut = iota + 1
	// cutAll breaks it before the answer.
	cutAll
)

// json sets a body. What is marshalled are plain structs, which cannot fail.
func (r reply) json(v any) reply {
	r.body, _ = json.Marshal(v) //nolint:errchkjson // Plain structs of strings and numbers.
	return r.typed("application/json")
}

func (r reply) typed(contentType string) reply {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set("Content-Type", contentType)
	return r
}

// seen is the status that the caller sees; 0 where there is none.
func (r reply) seen() int {
	if r.cut == cutAll {
		return 0
	}
	return r.status
}

// send writes the reply, or as much of it as is to leave before the connection
// breaks: net/http cuts it when a handler panics so.
func (r reply) send(w http.ResponseWriter) {
	if r.cut == cutAll {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), r.header)
	w.Header().Set("X-Request-ID", r.requestID)
	if r.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	if r.cut == cutHalf {
		_, _ = w.Write(r.body[:len(r.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(r.body)
}
