package decode

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/audian/participant-gateway/internal/wire"
)

// parse returns the value of a field from its text, or the rule that the text breaks. An
// enum's text is its lower-case name or its name in the proto; a duration's is in seconds.
func parse(field protoreflect.FieldDescriptor, text string) (value protoreflect.Value, problem string) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return parseString(text)
	case protoreflect.BoolKind:
		return parseBool(text)
	case protoreflect.Int32Kind:
		return parseInt32(text)
	case protoreflect.EnumKind:
		return parseEnum(field.Enum(), text)
	case protoreflect.MessageKind:
		if isDuration(field.Message()) {
			return parseDuration(text)
		}
		return value, notSupported
	default:
		return value, notSupported
	}
}

const notSupported = "cannot be given here"

func parseString(text string) (value protoreflect.Value, problem string) {
	if !utf8.ValidString(text) {
		return value, "must be UTF-8"
	}
	return protoreflect.ValueOfString(text), ""
}

func parseBool(text string) (value protoreflect.Value, problem string) {
	switch text {
	case "true", "false":
		return protoreflect.ValueOfBool(text == "true"), ""
	default:
		return value, "must be true or false"
	}
}

func parseInt32(text string) (value protoreflect.Value, problem string) {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return value, "must be a whole number of 32 bits"
	}
	return protoreflect.ValueOfInt32(int32(number)), ""
}

func parseEnum(enum protoreflect.EnumDescriptor, text string) (value protoreflect.Value, problem string) {
	number, found := wire.EnumNumber(enum, text)
	if !found {
		return value, "must be one of " + strings.Join(wire.EnumNames(enum), ", ")
	}
	return protoreflect.ValueOfEnum(number), ""
}

// seconds matches a duration in the form of the events, with 9 decimals at most.
var seconds = regexp.MustCompile(`^-?\d{1,9}(\.\d{1,9})?s$`)

func parseDuration(text string) (value protoreflect.Value, problem string) {
	length, err := time.ParseDuration(text)
	if err != nil || !seconds.MatchString(text) {
		return value, "must be a duration in seconds, such as 15s"
	}
	return protoreflect.ValueOfMessage(durationpb.New(length).ProtoReflect()), ""
}

func isDuration(message protoreflect.MessageDescriptor) bool {
	return message.FullName() == durationpb.File_google_protobuf_duration_proto.Messages().Get(0).FullName()
}

// kindName returns the JSON type of a field.
func kindName(field protoreflect.FieldDescriptor) string {
	one := "a string"
	if isObject(field) {
		one = "an object"
	}
	switch field.Kind() {
	case protoreflect.BoolKind:
		one = "true or false"
	case protoreflect.Int32Kind:
		one = "a number"
	default:
	}
	if field.IsList() {
		return "an array, each " + one
	}
	return one
}
