package wire

import (
	"bytes"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// DecodeProtoJSON reads one object of proto3 JSON into the request's fields. It refuses
// what DecodeBody refuses, in the same form. The usual leniency with unknown names would
// let a misspelt requestId dial twice.
func DecodeProtoJSON(body []byte, request proto.Message) error {
	var members map[string]jsontext.Value
	var faults faults
	if err := json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &members); err != nil || members == nil {
		faults.add(WholeBody, ruleSyntax, "must be a JSON object, each of its names given once")
		return faults.err(WholeBody)
	}
	seen := map[protoreflect.Name]bool{}
	fields := request.ProtoReflect().Descriptor().Fields()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		field := fields.ByJSONName(name)
		if field == nil {
			field = fields.ByTextName(name)
		}
		switch {
		case field == nil:
			faults.add(name, ruleUnknown, "unknown field")
		case seen[field.Name()]:
			faults.add(string(field.Name()), ruleOnce, "must be given once")
		case !decodeMember(name, members[name], request):
			faults.add(string(field.Name()), ruleType, "must be proto3 JSON of the field's type")
		}
		if field != nil {
			seen[field.Name()] = true
		}
	}
	return faults.err(WholeBody)
}

// decodeMember reads one member alone, since protojson tells of the first fault only,
// in words that it does not promise to keep.
func decodeMember(name string, value jsontext.Value, request proto.Message) bool {
	alone, err := json.Marshal(map[string]jsontext.Value{name: value})
	if err != nil {
		return false
	}
	read := request.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal(alone, read); err != nil {
		return false
	}
	proto.Merge(request, read)
	return true
}
