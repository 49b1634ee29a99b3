package audian

import (
	"math"
	"strconv"

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

// readEnvelope reads the whole body; ok is false where it is no JSON object, which
// invalid UTF-8 and duplicate names make of it too.
func readEnvelope(body []byte) (e envelope, ok bool) {
	if jsontext.Value(body).Kind() != '{' {
		return envelope{}, false
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return envelope{}, false
	}
	return e, true
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
	if json.Unmarshal(e.Tokens, &tokens) != nil {
		return nil
	}
	return count(tokens.Remaining)
}

// text is a string's text; ok is false for what is no string.
func text(v jsontext.Value) (s string, ok bool) {
	if v.Kind() != '"' {
		return "", false
	}
	var short [64]byte // Most texts are: they cost no more than themselves.
	unquoted, err := jsontext.AppendUnquote(short[:0], v)
	return string(unquoted), err == nil
}

// integer is a number's value if it is a whole one that fits into an int32.
func integer(v jsontext.Value) (n int32, ok bool) {
	if v.Kind() != '0' {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32 {
		return 0, false
	}
	return int32(f), true
}

// count is a whole number that is not negative, nil where v is no such number.
func count(v jsontext.Value) *int {
	n, ok := integer(v)
	if !ok || n < 0 {
		return nil
	}
	whole := int(n)
	return &whole
}
