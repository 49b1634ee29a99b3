package main

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"
)

// dropOptions takes away all options, and the imports that only they need.
func dropOptions(file *descriptorpb.FileDescriptorProto) {
	file.Options = nil
	file.Dependency = slices.DeleteFunc(file.GetDependency(), isThirdParty)
	file.OptionDependency = nil
	for _, service := range file.GetService() {
		service.Options = nil
		for _, method := range service.GetMethod() {
			method.Options = nil
		}
	}
	for _, enum := range file.GetEnumType() {
		dropOfEnum(enum)
	}
	for _, message := range file.GetMessageType() {
		dropOfMessage(message)
	}
}

func isThirdParty(path string) bool { return !strings.HasPrefix(path, "google/protobuf/") }

func dropOfEnum(enum *descriptorpb.EnumDescriptorProto) {
	enum.Options = nil
	for _, value := range enum.GetValue() {
		value.Options = nil
	}
}

func dropOfMessage(message *descriptorpb.DescriptorProto) {
	message.Options = nil
	for _, field := range message.GetField() {
		field.Options = nil
	}
	for _, oneof := range message.GetOneofDecl() {
		oneof.Options = nil
	}
	for _, enum := range message.GetEnumType() {
		dropOfEnum(enum)
	}
	for _, nested := range message.GetNestedType() {
		dropOfMessage(nested)
	}
}
