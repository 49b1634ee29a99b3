package main

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Client generators name an inline schema after its parent and its property, which can
// collide with another schema: an inline `status` in `Participant` replaces
// `ParticipantStatus`. So each schema that is more than a plain type is a component.

const (
	idName        = "Id"
	durationName  = "Duration"
	heartbeatName = "HeartbeatInterval"
	timeoutName   = "GrpcTimeout"

	dialledNumberName = "DialledNumber"
	displayName       = "DisplayName"
	requestIDName     = "RequestId"
)

// valueSchemas are the strings with a format. Patterns use only syntax that Go, ECMAScript
// and Python share.
var valueSchemas = object{
	{idName, text("An id: 1 to 128 characters, without control characters, `/` and `\\`, and neither `.` nor `..`.").
		with("minLength", 1).with("maxLength", 128).
		with("pattern", `^([^.`+noID+`]|\.[^.`+noID+`]|\.\.[^`+noID+`])[^`+noID+`]*$`)},
	{durationName, text("Seconds with at most 9 decimals, such as `1.5s`.").
		with("examples", []string{"1.5s"}).with("pattern", `^[0-9]{1,9}(\.[0-9]{1,9})?s$`)},
	{heartbeatName, text("Seconds with at most 9 decimals, from `5s` to `60s`.").
		with("examples", []string{"15s"}).
		with("pattern", `^(([5-9]|[1-5][0-9])(\.[0-9]{1,9})?|60(\.0{1,9})?)s$`)},
	{dialledNumberName, text("A number to dial, 1 to 20 characters.").with("minLength", 1).with("maxLength", 20)},
	{displayName, text("A display name: at most 100 characters, without control characters.").
		with("maxLength", 100).with("pattern", `^[^\x00-\x1f\x7f-\x9f]*$`)},
	{requestIDName, text("Up to 128 printable ASCII characters; empty for none.").with("pattern", "^[ -~]{0,128}$")},
	{timeoutName, text("Up to 8 digits and one of H M S m u n, such as `10S` for 10 seconds.").
		with("pattern", `^([0-9]{1,8}[HMSmun])?$`)},
}

// noID are the characters that ids must not contain, for a character class.
const noID = `/\\\x00-\x1f\x7f-\x9f`

// openName is the name of the schema of an enum that allows unknown values.
func openName(enum protoreflect.EnumDescriptor) string { return string(enum.Name()) + "OrUnknown" }

// isOpen reports whether a field of the file allows values that are not in the enum.
func isOpen(file protoreflect.FileDescriptor, enum protoreflect.EnumDescriptor) bool {
	for i := range file.Messages().Len() {
		fields := file.Messages().Get(i).Fields()
		for j := range fields.Len() {
			if field := fields.Get(j); field.Enum() == enum && hasRawField(field) {
				return true
			}
		}
	}
	return false
}

// openEnum is the schema of an enum that allows unknown values. It is a string because many
// generated clients fail on a value that their enum does not contain.
func openEnum(enum protoreflect.EnumDescriptor) object {
	names := enumNames(enum)
	return text("A value of `"+string(enum.Name())+"` (`"+strings.Join(names, "`, `")+"`), or a word of the upstream that "+
		"this service does not know, unchanged; empty if the upstream reports none.").with("examples", names)
}
