package audian

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// errorBody is what an error's body says.
type errorBody struct {
	// shaped says that the body is one of the documented errors, so that it is the
	// upstream speaking and no proxy before it.
	shaped bool
	// code is the status that the body names; 0 where it names none.
	code    int
	message string
	// words is all that the body says in words.
	text string
}

// errorBody reads the documented shapes of an error:
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

// isError says whether the body is an error, whatever its status. A participant's
// own status may be any word.
func (e envelope) isError(detail envelope) bool {
	status, _ := text(e.Status)
	success, isFlag := flag(e.Success)
	return status == "error" && e.ID == nil ||
		isFlag && !success ||
		detail.Message != nil || detail.Code != nil
}

// statusCode is a status from 400 to 599, told as a number or as text.
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

// full says whether a conflict is that of a conference with no room left.
func (p errorBody) isFull() bool { return fullPattern.MatchString(p.text) }
