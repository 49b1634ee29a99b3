package main

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// dropThirdParty removes custom options and the imports that only they need. Built-in
// options are kept.
func dropThirdParty(file *descriptorpb.FileDescriptorProto) {
	file.Dependency = slices.DeleteFunc(file.GetDependency(), isThirdParty)
	file.OptionDependency = nil
	dropExtensions(file.ProtoReflect())
}

// isThirdParty excepts google/rpc/status.proto, which is published beside the service's file.
func isThirdParty(path string) bool {
	return !strings.HasPrefix(path, "google/protobuf/") && path != "google/rpc/status.proto"
}

// dropExtensions removes the extensions of a message and all messages below it.
func dropExtensions(message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsExtension():
			message.Clear(field)
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				dropExtensions(value.List().Get(i).Message())
			}
		case field.Message() != nil:
			dropExtensions(value.Message())
			if proto.Size(value.Message().Interface()) == 0 {
				message.Clear(field)
			}
		}
		return true
	})
	message.SetUnknown(nil)
}
