package schema

import (
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	_ "github.com/audian/participant-gateway/internal/protooptions" // The set contains the imports.
)

// Descriptors returns an encoded FileDescriptorSet of the error details and the service,
// from the descriptors linked into this binary. Each file follows its imports.
func Descriptors() []byte {
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	for _, file := range []protoreflect.FileDescriptor{
		code.File_google_rpc_code_proto,
		errdetails.File_google_rpc_error_details_proto,
		status.File_google_rpc_status_proto,
		v2.File_audian_conference_v2_participant_service_proto,
	} {
		collect(file, set, seen)
	}
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
