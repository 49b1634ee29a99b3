package audian

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// envelope is the outermost object of a body, or the object in its `data`. Its members are not
// decoded, because each may have any type.
type envelope struct {
	ID           jsontext.Value `json:"id"`
	Participants jsontext.Value `json:"participants"`
	Total        jsontext.Value `json:"total"`
	Active       jsontext.Value `json:"active"`
	NextStartKey jsontext.Value `json:"next_start_key"`

	Data      jsontext.Value `json:"data"`
	AuthToken jsontext.Value `json:"auth_token"`
	Status    jsontext.Value `json:"status"`
	Success   jsontext.Value `json:"success"`
	Error     jsontext.Value `json:"error"`
	Code      jsontext.Value `json:"code"`
	Type      jsontext.Value `json:"type"`
	Param     jsontext.Value `json:"param"`
	Message   jsontext.Value `json:"message"`
	RequestID jsontext.Value `json:"request_id"`
	Tokens    jsontext.Value `json:"tokens"`
}

// tolerant accepts what must not make a list unreadable (W7): invalid UTF-8, a lone surrogate,
// and a duplicate key, of which the last counts.
var tolerant = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// readEnvelope decodes a body; ok is false if it is not a JSON object.
func readEnvelope(body []byte) (e envelope, ok bool) {
	if jsontext.Value(body).Kind() != '{' {
		return envelope{}, false
	}
	if err := json.Unmarshal(body, &e, tolerant); err != nil {
		return envelope{}, false
	}
	return e, true
}

// readDocument decodes a body that may begin with a byte order mark, or contain control
// characters that should be escaped. It returns the body without them.
func readDocument(body []byte) (document []byte, e envelope, ok bool) {
	document = bytes.TrimPrefix(body, []byte("\ufeff"))
	if e, ok = readEnvelope(document); ok || !bytes.ContainsFunc(document, isControl) {
		return document, e, ok
	}
	document = bytes.Map(withoutControl, document)
	e, ok = readEnvelope(document)
	return document, e, ok
}

func isControl(r rune) bool { return r < ' ' }

// withoutControl replaces a character that JSON strings must escape. Between values, blanks,
// line breaks and tabs are equivalent.
func withoutControl(r rune) rune {
	switch {
	case !isControl(r):
		return r
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	default:
		return unicode.ReplacementChar
	}
}

// inner decodes a member that is an object; it is empty for any other.
func inner(member jsontext.Value) envelope {
	e, _ := readEnvelope(member)
	return e
}

// remaining returns the number of request tokens that the account has left, or nil.
func (e envelope) remaining() *int {
	if e.Tokens.Kind() != '{' {
		return nil
	}
	var tokens struct {
		Remaining jsontext.Value `json:"remaining"`
	}
	if json.Unmarshal(e.Tokens, &tokens, tolerant) != nil {
		return nil
	}
	return count(tokens.Remaining)
}

// text decodes a string, with U+FFFD for invalid parts; ok is false for any other value.
func text(v jsontext.Value) (s string, ok bool) {
	if v.Kind() != '"' {
		return "", false
	}
	var short [64]byte // Most texts are short and need one allocation.
	// The decoder has read v, so that an error says only that something was replaced.
	unquoted, _ := jsontext.AppendUnquote(short[:0], v)
	return string(unquoted), true
}

// number decodes a number, which may be in a string.
func number(v jsontext.Value) (f float64, ok bool) {
	literal := string(v)
	if s, isText := text(v); isText {
		literal = s
	}
	if jsontext.Value(literal).Kind() != '0' {
		return 0, false
	}
	f, err := strconv.ParseFloat(literal, 64)
	return f, err == nil
}

// seconds decodes a number without its fraction; ok is false if it does not fit into an int32.
func seconds(v jsontext.Value) (n int32, ok bool) {
	f, ok := number(v)
	f = math.Trunc(f)
	if !ok || f < math.MinInt32 || f > math.MaxInt32 {
		return 0, false
	}
	return int32(f), true
}

// count decodes a whole number that is not negative; it returns nil for any other value.
func count(v jsontext.Value) *int {
	f, ok := number(v)
	if !ok || f != math.Trunc(f) || f < 0 || f > math.MaxInt32 {
		return nil
	}
	whole := int(f)
	return &whole
}

// flag decodes a boolean, which may be in a string, or 0 or 1.
func flag(v jsontext.Value) (is, ok bool) {
	literal := string(v)
	if s, isText := text(v); isText {
		literal = strings.ToLower(s)
	}
	switch literal {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	default:
		return false, false
	}
}
