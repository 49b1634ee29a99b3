package schema

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Descriptors are a FileDescriptorSet in the wire form: the service's file as this
// binary has it, and before each file what it imports.
func Descriptors() []byte {
	set := &descriptorpb.FileDescriptorSet{}
	collect(v2.File_audian_conference_v2_participant_service_proto, set, map[string]bool{})
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		panic(fmt.Sprintf("schema: encode linked descriptors: %v", err))
	}
	return encoded
}

func collect(file protoreflect.FileDescriptor, into *descriptorpb.FileDescriptorSet, seen map[string]bool) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		collect(imports.Get(i).FileDescriptor, into, seen)
	}
	into.File = append(into.File, protodesc.ToFileDescriptorProto(file))
}
