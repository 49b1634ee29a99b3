package wire

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// read is the value that a text means for a field, or what is wrong with it, put so
// that it goes on from the field's name. An enum's value is its word or its name in
// the proto; a duration is told in seconds.
func read(field protoreflect.FieldDescriptor, text string) (value protoreflect.Value, problem string) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return readString(text)
	case protoreflect.BoolKind:
		return readBool(text)
	case protoreflect.Int32Kind:
		return readInt32(text)
	case protoreflect.EnumKind:
		return readWord(field.Enum(), text)
	case protoreflect.MessageKind:
		if isDuration(field.Message()) {
			return readSpan(text)
		}
		return value, notHere
	default:
		return value, notHere
	}
}

const notHere = "cannot be given here"

func readString(text string) (value protoreflect.Value, problem string) {
	if !utf8.ValidString(text) {
		return value, "must be UTF-8"
	}
	return protoreflect.ValueOfString(text), ""
}

func readBool(text string) (value protoreflect.Value, problem string) {
	switch text {
	case "true", "false":
		return protoreflect.ValueOfBool(text == "true"), ""
	default:
		return value, "must be true or false"
	}
}

func readInt32(text string) (value protoreflect.Value, problem string) {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return value, "must be a whole number of 32 bits"
	}
	return protoreflect.ValueOfInt32(int32(number)), ""
}

func readWord(enum protoreflect.EnumDescriptor, text string) (value protoreflect.Value, problem string) {
	number, found := numberOf(enum, text)
	if !found {
		return value, "must be one of " + strings.Join(vocabularyOf(enum).known, ", ")
	}
	return protoreflect.ValueOfEnum(number), ""
}

// seconds is how a duration is told: as in events, 9 decimals at most.
var seconds = regexp.MustCompile(`^-?\d{1,9}(\.\d{1,9})?s$`)

func readSpan(text string) (value protoreflect.Value, problem string) {
	length, err := time.ParseDuration(text)
	if err != nil || !seconds.MatchString(text) {
		return value, "must be a duration in seconds, such as 15s"
	}
	return protoreflect.ValueOfMessage(durationpb.New(length).ProtoReflect()), ""
}

func isDuration(message protoreflect.MessageDescriptor) bool {
	return message.FullName() == durationpb.File_google_protobuf_duration_proto.Messages().Get(0).FullName()
}

// kindName is the JSON type that a field takes.
func kindName(field protoreflect.FieldDescriptor) string {
	one := "a string"
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
