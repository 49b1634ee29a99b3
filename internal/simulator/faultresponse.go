package simulator

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// replacement returns the response of a fault that answers in place of the operation.
func (f *Fault) replacement(requestID string) (r response, replaced bool) {
	r = response{status: f.Status, header: http.Header{}, requestID: requestID}
	switch f.Kind {
	case FaultStatus:
		if f.RetryAfter != "" {
			r.header.Set("Retry-After", f.RetryAfter)
		}
		return f.withBody(r), true
	case FaultErrorEnvelope:
		r.status = http.StatusOK
		return r.json(errorEnvelope(f.Status, errorCode(cmp.Or(f.Status, http.StatusInternalServerError)), f.message(), requestID)), true
	case FaultRedirect:
		r.status = cmp.Or(f.Status, http.StatusTemporaryRedirect)
		r.header.Set("Location", f.Location)
		return r, true
	default:
		return response{}, false
	}
}

func (f *Fault) message() string { return cmp.Or(f.Message, "injected fault") }

// wireErrorObject and wireFailure are formats of errors that some of Audian's
// documentation shows.
type wireErrorObject struct {
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

// withBody sets the error body in the format of the fault.
func (f *Fault) withBody(r response) response {
	code := errorCode(f.Status)
	switch f.Body {
	case EmptyBody:
		return r
	case TextBody:
		r.body = []byte(f.message())
		return r.withContentType("text/plain; charset=utf-8")
	case HTMLBody:
		const html = "<html><head><title>%d</title></head><body><h1>%s</h1></body></html>\n"
		r.body = fmt.Appendf(nil, html, f.Status, f.message())
		return r.withContentType("text/html")
	case ObjectBody:
		var body wireErrorObject
		body.Error.Code, body.Error.Message, body.Error.Type = code, f.message(), "api_error"
		return r.json(body)
	case FailureBody:
		return r.json(wireFailure{Error: code, Message: f.message(), RequestID: r.requestID})
	default:
		return r.json(errorEnvelope(f.Status, code, f.message(), r.requestID))
	}
}

// alterResponse changes the response of the operation as the fault requires.
func (f *Fault) alterResponse(r response) response {
	switch f.Kind {
	case FaultLost:
		r.cut = cutBeforeResponse
	case FaultReset:
		r.cut = cutMidBody
		if len(r.body) == 0 {
			r.cut = cutBeforeResponse
		}
	case FaultGarbage:
		r.body = []byte(cmp.Or(f.Raw, `{"participants": [{"id": "part_`))
		r.status = http.StatusOK
	case FaultUnusualJSON:
		r.body = unusualJSON(r.body)
	default:
	}
	return r
}

// unusualKeys writes keys twice, of which the last is valid, and values of other types.
var unusualKeys = strings.NewReplacer(
	"\ufffd", `\ud83d`,
	`{"id":`, `{"note":"\udc00","note":{"x":1,"x":2},"id":7,"id":`,
	`"muted":true`, `"muted":"maybe","muted":1`,
	`"muted":false`, `"muted":"false"`,
)

var (
	countPattern    = regexp.MustCompile(`"(total|active)":(\d+)`)
	durationPattern = regexp.MustCompile(`"duration":(\d+)`)
	timePattern     = regexp.MustCompile(`"(\d{4}-\d\d-\d\d)T([\d:]+)Z"`)
)

// unusualJSON rewrites a body as JSON of the same meaning that is hard to decode.
func unusualJSON(body []byte) []byte {
	text := unusualKeys.Replace(string(body))
	text = countPattern.ReplaceAllString(text, `"$1":"$2"`)
	text = durationPattern.ReplaceAllString(text, `"duration":"$1.5"`)
	text = timePattern.ReplaceAllString(text, `"${1}t${2}z"`)
	return []byte("\ufeff" + text)
}

// alterList changes a list: it omits items that the total counts, changes the total, or
// replaces an empty array by null.
func (f *Fault) alterList(l wireList) wireList {
	switch f.Kind {
	case FaultPartial:
		l.Participants = l.Participants[:max(len(l.Participants)-cmp.Or(f.By, 1), 0)]
	case FaultShift:
		l.Total -= cmp.Or(f.By, 1)
	case FaultTotal:
		l.Total += cmp.Or(f.By, 1)
	case FaultNull:
		if len(l.Participants) == 0 {
			l.Participants = nil
		}
	default:
	}
	return l
}

// shiftStart moves the start of a page, as if participants of earlier pages had left or
// joined.
func (f *Fault) shiftStart(start, end int) int {
	if f.Kind != FaultShift {
		return start
	}
	return min(max(start+cmp.Or(f.By, 1), 0), end)
}
