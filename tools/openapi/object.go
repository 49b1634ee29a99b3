package main

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object with ordered members: fields have the order of the proto, and the
// document is deterministic.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSONTo implements json.MarshalerTo.
func (o object) MarshalJSONTo(encoder *jsontext.Encoder) error {
	if err := encoder.WriteToken(jsontext.BeginObject); err != nil {
		return fmt.Errorf("begin an object: %w", err)
	}
	for _, m := range o {
		if err := encoder.WriteToken(jsontext.String(m.name)); err != nil {
			return fmt.Errorf("name %s: %w", m.name, err)
		}
		if err := json.MarshalEncode(encoder, m.value); err != nil {
			return fmt.Errorf("encode %s: %w", m.name, err)
		}
	}
	if err := encoder.WriteToken(jsontext.EndObject); err != nil {
		return fmt.Errorf("end an object: %w", err)
	}
	return nil
}

// with returns a copy of the object with one more member.
func (o object) with(name string, value any) object {
	return append(slices.Clip(o), member{name, value})
}

// and returns a copy of the object with all members of another.
func (o object) and(other object) object {
	return append(slices.Clip(o), other...)
}

func encode(document object) ([]byte, error) {
	encoded, err := json.Marshal(document, jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("encode the document: %w", err)
	}
	return append(encoded, '\n'), nil
}
