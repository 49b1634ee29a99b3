package simulator

import (
	"cmp"
	"fmt"
	"net/http"
)

// instead is the answer of a fault that does not need the operation's own.
func (f *Fault) instead(requestID string) (r reply, replaced bool) {
	r = reply{status: f.Status, header: http.Header{}, requestID: requestID}
	switch f.Kind {
	case FaultStatus:
		if f.RetryAfter != "" {
			r.header.Set("Retry-After", f.RetryAfter)
		}
		return f.shaped(r), true
	case FaultErrorEnvelope:
		r.status = http.StatusOK
		return r.json(problem(f.Status, wordFor(cmp.Or(f.Status, http.StatusInternalServerError)), f.said(), requestID)), true
	case FaultRedirect:
		r.status = cmp.Or(f.Status, http.StatusTemporaryRedirect)
		r.header.Set("Location", f.Location)
		return r, true
	default:
		return reply{}, false
	}
}

func (f *Fault) said() string { return cmp.Or(f.Message, "fault on request") }

// wireObject and wireFailure are the shapes of errors on some of the vendor's pages.
type wireObject struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Param   string `json:"param"`
		Type    string `json:"type"`
	} `json:"error"`
}

type wireFailure struct {
	Success   bool   `json:"success"`
	Error     string `json:"error"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// shaped gives the reply the body that was asked for.
func (f *Fault) shaped(r reply) reply {
	word := wordFor(f.Status)
	switch f.Body {
	case EmptyBody:
		return r
	case TextBody:
		r.body = []byte(f.said())
		return r.typed("text/plain; charset=utf-8")
	case HTMLBody:
		const html = "<html><head><title>%d</title></head><body><h1>%s</h1></body></html>\n"
		r.body = fmt.Appendf(nil, html, f.Status, f.said())
		return r.typed("text/html")
	case ObjectBody:
		var body wireObject
		body.Error.Code, body.Error.Message, body.Error.Type = word, f.said(), "api_error"
		return r.json(body)
	case FailureBody:
		return r.json(wireFailure{Error: word, Message: f.said(), RequestID: r.requestID})
	default:
		return r.json(problem(f.Status, word, f.said(), r.requestID))
	}
}

// distort is what a fault makes of the operation's own answer.
func (f *Fault) distort(r reply) reply {
	switch f.Kind {
	case FaultLost:
		r.cut = cutAll
	case FaultReset:
		r.cut = cutHalf
		if len(r.body) == 0 {
			r.cut = cutAll // There is nothing to be amid of.
		}
	case FaultGarbage:
		r.body = []byte(cmp.Or(f.Raw, `{"participants": [{"id": "part_`))
		r.status = http.StatusOK
	default:
	}
	return r
}

// thin leaves items out of a list without its total telling.
func (f *Fault) thin(l wireList) wireList {
	switch f.Kind {
	case FaultPartial:
		l.Participants = l.Participants[:max(len(l.Participants)-cmp.Or(f.By, 1), 0)]
	case FaultShift:
		l.Total -= cmp.Or(f.By, 1)
	default:
	}
	return l
}

// shifted is where a page begins whose predecessors have changed.
func (f *Fault) shifted(start, end int) int {
	if f.Kind != FaultShift {
		return start
	}
	return min(max(start+cmp.Or(f.By, 1), 0), end)
}
