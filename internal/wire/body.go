package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// byteOrderMark is what some editors and clients write before UTF-8.
var byteOrderMark = []byte("\ufeff")

// WholeBody stands for the field where the body itself is at fault.
const WholeBody = "body"

// DecodeBody reads one JSON object into the request's fields. It refuses names that
// are no field, names given twice, values of another type, and anything after the
// object; null is the same as absent, and so is a body of no bytes. A byte order mark
// before the object is skipped.
func DecodeBody(body []byte, request proto.Message) error {
	body = bytes.TrimPrefix(body, byteOrderMark)
	if len(body) == 0 {
		return nil
	}
	d := bodyDecoder{json: jsontext.NewDecoder(bytes.NewReader(body)), message: request.ProtoReflect()}
	d.object()
	d.end()
	return d.faults.err(WholeBody)
}

// bodyDecoder goes on past a field at fault, so that one answer names them all; it
// stops where the text is no JSON.
type bodyDecoder struct {
	json    *jsontext.Decoder
	message protoreflect.Message
	faults  faults
	// stopped is why reading stopped; after it nothing more is read.
	stopped error
}

func (d *bodyDecoder) object() {
	if kind := d.peek(); kind != jsontext.KindBeginObject && kind != jsontext.KindInvalid {
		d.faults.add(WholeBody, ruleType, "must be a JSON object")
		d.skip()
		return
	}
	d.next()
	for d.peek() == jsontext.KindString {
		d.member()
	}
	d.next()
}

func (d *bodyDecoder) end() {
	if d.stopped == nil {
		d.next()
		if errors.Is(d.stopped, io.EOF) {
			return
		}
	}
	d.refuseSyntax()
}

func (d *bodyDecoder) member() {
	name := d.next()
	if d.stopped != nil {
		return
	}
	field := d.message.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch {
	case field == nil:
		d.faults.add(name, ruleUnknown, "unknown field")
		d.skip()
	case d.peek() == jsontext.KindNull:
		d.skip()
	case field.IsList():
		d.list(field)
	default:
		d.value(field)
	}
}

func (d *bodyDecoder) list(field protoreflect.FieldDescriptor) {
	if d.peek() != jsontext.KindBeginArray {
		d.refuseType(field)
		return
	}
	d.next()
	for d.peek() != jsontext.KindEndArray && d.stopped == nil {
		d.value(field)
	}
	d.next()
}

func (d *bodyDecoder) value(field protoreflect.FieldDescriptor) {
	if !takes(field, d.peek()) {
		d.refuseType(field)
		return
	}
	text := d.next()
	if d.stopped != nil {
		return
	}
	value, problem := read(field, text)
	if problem != "" {
		d.faults.add(string(field.Name()), ruleType, problem)
		return
	}
	set(d.message, field, value)
}

// takes says whether a JSON value of this kind can be one of the field's.
func takes(field protoreflect.FieldDescriptor, kind jsontext.Kind) bool {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return kind == jsontext.KindTrue || kind == jsontext.KindFalse
	case protoreflect.Int32Kind:
		return kind == jsontext.KindNumber
	default:
		return kind == jsontext.KindString
	}
}

func (d *bodyDecoder) refuseType(field protoreflect.FieldDescriptor) {
	if d.peek() != jsontext.KindInvalid {
		d.faults.add(string(field.Name()), ruleType, "must be "+kindName(field))
	}
	d.skip()
}

// refuseSyntax tells where the text stops being the JSON it should be, and nothing
// of the text.
func (d *bodyDecoder) refuseSyntax() {
	syntax, isSyntax := errors.AsType[*jsontext.SyntacticError](d.stopped)
	switch {
	case d.stopped == nil:
		d.faults.add(WholeBody, ruleSyntax, "trailing data after the JSON object")
	case isSyntax && errors.Is(syntax.Err, jsontext.ErrDuplicateName):
		d.faults.add(syntax.JSONPointer.LastToken(), ruleDuplicate, "must be given once")
	case isSyntax:
		d.faults.add(WholeBody, ruleSyntax, fmt.Sprintf("invalid JSON at byte %d", syntax.ByteOffset))
	default:
		d.faults.add(WholeBody, ruleSyntax, "incomplete JSON")
	}
}

func (d *bodyDecoder) peek() jsontext.Kind {
	if d.stopped != nil {
		return jsontext.KindInvalid
	}
	return d.json.PeekKind()
}

// next is the next token's text: of a string what it means.
func (d *bodyDecoder) next() string {
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

func (d *bodyDecoder) skip() {
	if d.stopped == nil {
		d.stopped = d.json.SkipValue()
	}
}
