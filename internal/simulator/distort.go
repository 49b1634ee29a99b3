package simulator

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
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
	case FaultOdd:
		r.body = odd(r.body)
	default:
	}
	return r
}

// oddWords writes keys twice, of which the last counts, and other types for the same.
var oddWords = strings.NewReplacer(
	"\ufffd", `\ud83d`,
	`{"id":`, `{"note":"\udc00","note":{"x":1,"x":2},"id":7,"id":`,
	`"muted":true`, `"muted":"maybe","muted":1`,
	`"muted":false`, `"muted":"false"`,
)

var (
	oddCounts    = regexp.MustCompile(`"(total|active)":(\d+)`)
	oddDurations = regexp.MustCompile(`"duration":(\d+)`)
	oddTimes     = regexp.MustCompile(`"(\d{4}-\d\d-\d\d)T([\d:]+)Z"`)
)

// odd writes the same facts as a vendor might whose JSON is made by hand.
func odd(body []byte) []byte {
	text := oddWords.Replace(string(body))
	text = oddCounts.ReplaceAllString(text, `"$1":"$2"`)
	text = oddDurations.ReplaceAllString(text, `"duration":"$1.5"`)
	text = oddTimes.ReplaceAllString(text, `"${1}t${2}z"`)
	return []byte("\ufeff" + text)
}

// thin changes a list: it leaves items out without its total telling, counts wrongly, or
// writes null for nobody.
func (f *Fault) thin(l wireList) wireList {
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

// shifted is where a page begins whose predecessors have changed.
func (f *Fault) shifted(start, end int) int {
	if f.Kind != FaultShift {
		return start
	}
	return min(max(start+cmp.Or(f.By, 1), 0), end)
}
