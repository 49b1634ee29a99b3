package decode

import (
	"bytes"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// ProtoJSON decodes one object of proto3 JSON into the request's fields. It refuses what
// JSON refuses, with the same errors: if it ignored unknown names, as other decoders do, a
// misspelt requestId could dial twice.
func ProtoJSON(body []byte, request proto.Message) error {
	var members map[string]jsontext.Value
	var invalid violations
	if err := json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &members); err != nil || members == nil {
		invalid.add(httpio.WholeBody, ruleSyntax, "must be a JSON object, each of its names given once")
		return invalid.err(httpio.WholeBody)
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
			invalid.add(name, ruleUnknown, "unknown field")
		case seen[field.Name()]:
			invalid.add(string(field.Name()), ruleOnce, "must be given once")
		case !decodeMember(name, members[name], request):
			invalid.add(string(field.Name()), ruleType, "must be proto3 JSON of the field's type")
		}
		if field != nil {
			seen[field.Name()] = true
		}
	}
	return invalid.err(httpio.WholeBody)
}

// decodeMember decodes a single member: protojson reports only the first error, in a
// text that may change.
func decodeMember(name string, value jsontext.Value, request proto.Message) bool {
	single, err := json.Marshal(map[string]jsontext.Value{name: value})
	if err != nil {
		return false
	}
	decoded := request.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal(single, decoded); err != nil {
		return false
	}
	proto.Merge(request, decoded)
	return true
}
