package schema_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/gen/openapi"
	"github.com/audian/participant-gateway/internal/schema"
)

// file returns the content of a schema file.
func file(t *testing.T, name string) []byte {
	t.Helper()
	for _, f := range schema.Files() {
		if f.Name == name {
			return f.Content()
		}
	}
	t.Fatalf("no file %s", name)
	return nil
}

func TestDescriptorsIncludeTheirImports(t *testing.T) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(schema.Descriptors(), &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatalf("an import is missing: %v", err)
	}
	for _, name := range []protoreflect.FullName{
		"audian.conference.v2.ParticipantService", "google.rpc.Status", "google.rpc.BadRequest", "google.rpc.Code", "google.protobuf.Any",
	} {
		if _, err := files.FindDescriptorByName(name); err != nil {
			t.Error(err)
		}
	}
	linked := protodesc.ToFileDescriptorProto(v2.File_audian_conference_v2_participant_service_proto)
	if last := set.GetFile()[len(set.GetFile())-1]; !proto.Equal(last, linked) {
		t.Error("the last file of the set is not the service's own")
	}
	if !bytes.Equal(schema.Descriptors(), schema.Descriptors()) {
		t.Error("two sets differ")
	}
}

func TestOpenAPIFileIsTheServedDocument(t *testing.T) {
	if !bytes.Equal(file(t, "openapi.json"), openapi.Document) {
		t.Error("the file is another document")
	}
}
