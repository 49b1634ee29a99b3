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

// envelope is the outermost object of a body: what the vendor's other pages put around
// their data, or the bare list of the participants page, or the object in `data`. Its
// members are kept as they came, because any of them may have any type.
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

// tolerant reads what a list must not be spoiled by (W7): text that is no valid UTF-8, a
// lone surrogate, and a key given twice, the last of which counts.
var tolerant = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// readEnvelope reads the whole body; ok is false where it is no JSON object.
func readEnvelope(body []byte) (e envelope, ok bool) {
	if jsontext.Value(body).Kind() != '{' {
		return envelope{}, false
	}
	if err := json.Unmarshal(body, &e, tolerant); err != nil {
		return envelope{}, false
	}
	return e, true
}

// readDocument reads a body that may begin with a byte order mark, or hold control
// characters that should have been escaped. It returns the body without them.
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

// withoutControl replaces a character that JSON text must escape. Between values only
// blanks, line breaks and tabs occur, which mean the same there.
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

// inner is the object that a member holds, empty where it holds none.
func inner(member jsontext.Value) envelope {
	e, _ := readEnvelope(member)
	return e
}

// remaining is what is left of the account's request tokens, nil where nothing is said.
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

// text is a string's text, U+FFFD in place of what is no text; ok is false for what is no
// string.
func text(v jsontext.Value) (s string, ok bool) {
	if v.Kind() != '"' {
		return "", false
	}
	var short [64]byte // Most texts are: they cost no more than themselves.
	// The decoder has read v, so that an error says only that something was replaced.
	unquoted, _ := jsontext.AppendUnquote(short[:0], v)
	return string(unquoted), true
}

// number is a number's value, which may come as a string.
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

// seconds is a number's value without its fraction, if that fits into an int32.
func seconds(v jsontext.Value) (n int32, ok bool) {
	f, ok := number(v)
	f = math.Trunc(f)
	if !ok || f < math.MinInt32 || f > math.MaxInt32 {
		return 0, false
	}
	return int32(f), true
}

// count is a whole number that is not negative, nil where v is no such number.
func count(v jsontext.Value) *int {
	f, ok := number(v)
	if !ok || f != math.Trunc(f) || f < 0 || f > math.MaxInt32 {
		return nil
	}
	whole := int(f)
	return &whole
}

// flag is a boolean, which may come as a string or as 0 or 1.
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
