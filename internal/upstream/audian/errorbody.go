package audian

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// errorBody is the content of an error's body.
type errorBody struct {
	// shaped is true if the body is one of the documented errors, and so from the upstream
	// and not from a proxy.
	shaped bool
	// code is the status in the body, or 0.
	code    int
	message string
	// text is all text of the body, in lower case.
	text string
}

// errorBody decodes the documented forms of an error:
//
//	{"data":{"message":…},"error":"400","message":…,"request_id":…,"status":"error"}
//	{"error":{"code":…,"message":…,"param":…,"type":…}}
//	{"success":false,…}
func (e envelope) errorBody() errorBody {
	detail, data := inner(e.Error), inner(e.Data)
	p := errorBody{shaped: e.isError(detail)}
	if !p.shaped {
		return p
	}
	codes := []jsontext.Value{e.Error, detail.Code, e.Code}
	messages := []jsontext.Value{data.Message, detail.Message, e.Message}
	for _, code := range codes {
		p.code = cmp.Or(p.code, statusCode(code))
	}
	for _, message := range messages {
		s, _ := text(message)
		p.message = cmp.Or(p.message, s)
	}
	var words []string
	for _, v := range slices.Concat(codes, messages, []jsontext.Value{detail.Type, detail.Param}) {
		s, _ := text(v)
		words = append(words, strings.ToLower(s))
	}
	p.text = strings.Join(words, "\n")
	return p
}

// isError reports whether the body is an error, regardless of the HTTP status. The status of a
// participant may be any word.
func (e envelope) isError(detail envelope) bool {
	status, _ := text(e.Status)
	success, isFlag := flag(e.Success)
	return status == "error" && e.ID == nil ||
		isFlag && !success ||
		detail.Message != nil || detail.Code != nil
}

// statusCode decodes a status from 400 to 599, a number or text; 0 for any other value.
func statusCode(v jsontext.Value) int {
	s, ok := text(v)
	if !ok {
		s = string(v)
	}
	code, err := strconv.Atoi(s)
	if err != nil || code < 400 || code > 599 {
		return 0
	}
	return code
}

var fullPattern = regexp.MustCompile(`\bfull\b|_full\b|\bmax(imum)?[_ ](\w+ )*participants|\bparticipant[_ ]limit|\bcapacity\b`)

// isFull reports whether a conflict is that of a full conference.
func (p errorBody) isFull() bool { return fullPattern.MatchString(p.text) }
