package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// byteOrderMark is written before UTF-8 by some editors and clients.
var byteOrderMark = []byte("\ufeff")

// JSON decodes one JSON object into the request's fields. It refuses unknown names, names
// given twice, values of another type, and anything after the object; null means absent,
// and so does an empty body. It skips a byte order mark before the object.
func JSON(body []byte, request proto.Message) error {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if len(body) == 0 {
		return nil
	}
	d := jsonDecoder{json: jsontext.NewDecoder(bytes.NewReader(body)), message: request.ProtoReflect()}
	d.object()
	d.end()
	return d.violations.err(httpio.WholeBody)
}

// jsonDecoder continues after an invalid field, so that one error names them all; it
// stops at a syntax error.
type jsonDecoder struct {
	json    *jsontext.Decoder
	message protoreflect.Message
	// path is the path of message in the request, with a final dot; empty for the request.
	path string

	violations violations
	// stopped is the error that ended decoding.
	stopped error
}

func (d *jsonDecoder) object() {
	if kind := d.peek(); kind != jsontext.KindBeginObject && kind != jsontext.KindInvalid {
		d.violations.add(httpio.WholeBody, ruleType, "must be a JSON object")
		d.skip()
		return
	}
	d.members()
}

// members decodes the members of the object that begins here.
func (d *jsonDecoder) members() {
	d.next()
	for d.peek() == jsontext.KindString {
		d.member()
	}
	d.next()
}

func (d *jsonDecoder) end() {
	if d.stopped == nil {
		d.next()
		if errors.Is(d.stopped, io.EOF) {
			return
		}
	}
	d.refuseSyntax()
}

func (d *jsonDecoder) member() {
	name := d.next()
	if d.stopped != nil {
		return
	}
	field := d.message.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch {
	case field == nil:
		d.violations.add(d.path+name, ruleUnknown, "unknown field")
		d.skip()
	case d.peek() == jsontext.KindNull:
		d.skip()
	case field.IsList():
		d.list(field)
	default:
		d.value(field)
	}
}

func (d *jsonDecoder) list(field protoreflect.FieldDescriptor) {
	if d.peek() != jsontext.KindBeginArray {
		d.refuseType(field)
		return
	}
	d.next()
	for d.peek() != jsontext.KindEndArray && d.stopped == nil {
		if isObject(field) {
			d.element(field)
		} else {
			d.value(field)
		}
	}
	d.next()
}

// isObject reports whether a field's values are JSON objects.
func isObject(field protoreflect.FieldDescriptor) bool {
	return field.Message() != nil && !isDuration(field.Message())
}

// element decodes one object of a list.
func (d *jsonDecoder) element(field protoreflect.FieldDescriptor) {
	parent, path := d.message, d.path
	defer func() {
		if d.stopped == nil {
			d.message, d.path = parent, path
		}
	}()
	list := parent.Mutable(field).List()
	name := fmt.Sprintf("%s%s[%d]", path, field.Name(), list.Len())
	d.message, d.path = list.AppendMutable().Message(), name+"."
	if kind := d.peek(); kind != jsontext.KindBeginObject && kind != jsontext.KindInvalid {
		d.violations.add(name, ruleType, "must be an object")
		d.skip()
		return
	}
	d.members()
}

func (d *jsonDecoder) value(field protoreflect.FieldDescriptor) {
	if !accepts(field, d.peek()) {
		d.refuseType(field)
		return
	}
	text := d.next()
	if d.stopped != nil {
		return
	}
	value, problem := parse(field, text)
	if problem != "" {
		d.violations.add(d.path+string(field.Name()), ruleType, problem)
		return
	}
	set(d.message, field, value)
}

// accepts reports whether a field takes JSON values of this kind.
func accepts(field protoreflect.FieldDescriptor, kind jsontext.Kind) bool {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return kind == jsontext.KindTrue || kind == jsontext.KindFalse
	case protoreflect.Int32Kind:
		return kind == jsontext.KindNumber
	default:
		return kind == jsontext.KindString
	}
}

func (d *jsonDecoder) refuseType(field protoreflect.FieldDescriptor) {
	if d.peek() != jsontext.KindInvalid {
		d.violations.add(d.path+string(field.Name()), ruleType, "must be "+kindName(field))
	}
	d.skip()
}

// refuseSyntax names the place of a syntax error. It does not quote the body.
func (d *jsonDecoder) refuseSyntax() {
	syntax, isSyntax := errors.AsType[*jsontext.SyntacticError](d.stopped)
	switch {
	case d.stopped == nil:
		d.violations.add(httpio.WholeBody, ruleSyntax, "trailing data after the JSON object")
	case isSyntax && errors.Is(syntax.Err, jsontext.ErrDuplicateName):
		d.violations.add(d.path+syntax.JSONPointer.LastToken(), ruleDuplicate, "must be given once")
	case isSyntax:
		d.violations.add(httpio.WholeBody, ruleSyntax, fmt.Sprintf("invalid JSON at byte %d", syntax.ByteOffset))
	default:
		d.violations.add(httpio.WholeBody, ruleSyntax, "incomplete JSON")
	}
}

func (d *jsonDecoder) peek() jsontext.Kind {
	if d.stopped != nil {
		return jsontext.KindInvalid
	}
	return d.json.PeekKind()
}

// next returns the text of the next token, a string's decoded.
func (d *jsonDecoder) next() string {
	if d.stopped != nil {
		return ""
	}
	token, err := d.json.ReadToken()
	if err != nil {
		d.stopped = err
		return ""
	}
	return token.String()
}

func (d *jsonDecoder) skip() {
	if d.stopped == nil {
		d.stopped = d.json.SkipValue()
	}
}
