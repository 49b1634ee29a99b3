package schema_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// compilePlain compiles the served proto with nothing beside it but what comes with
// protoc.
func compilePlain(t *testing.T) (file protoreflect.FileDescriptor, source string) {
	t.Helper()
	const name = "participant_service.proto"
	_, _, body := get(t, http.MethodGet, "/schema/"+name)
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{name: string(body)}),
	})}
	files, err := compiler.Compile(t.Context(), name)
	if err != nil {
		t.Fatalf("protoc alone would not compile it: %v", err)
	}
	return files[0], string(body)
}

func TestThePlainProtoMeansTheSame(t *testing.T) {
	plain, _ := compilePlain(t)
	got, want := outline(plain), outline(v2.File_audian_conference_v2_participant_service_proto)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("it lacks %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("it has %s, which the service has not", line)
		}
	}
	if len(want) < 80 {
		t.Errorf("only %d lines were compared", len(want))
	}
}

func TestThePlainProtoHasNoOptionsAndKeepsItsComments(t *testing.T) {
	plain, source := compilePlain(t)
	imports := plain.Imports()
	for i := range imports.Len() {
		if path := imports.Get(i).Path(); !strings.HasPrefix(path, "google/protobuf/") {
			t.Errorf("it imports %s", path)
		}
	}
	for _, absent := range []string{"\noption ", "option (", "[(", "go_package"} {
		if strings.Contains(source, absent) {
			t.Errorf("it has %q", absent)
		}
	}
	for _, comment := range []string{"// The participants of Audian telephone conferences", "// The number to dial, E.164"} {
		if !strings.Contains(source, comment) {
			t.Errorf("it lacks the comment %q", comment)
		}
	}
}

// outline is all of a file that is on the wire, a line each.
func outline(file protoreflect.FileDescriptor) []string {
	var lines []string
	for i := range file.Services().Len() {
		methods := file.Services().Get(i).Methods()
		for j := range methods.Len() {
			m := methods.Get(j)
			lines = append(lines, fmt.Sprintf("rpc %s(%s) %s stream %t", m.FullName(), m.Input().FullName(), m.Output().FullName(), m.IsStreamingServer()))
		}
	}
	for i := range file.Enums().Len() {
		values := file.Enums().Get(i).Values()
		for j := range values.Len() {
			lines = append(lines, fmt.Sprintf("enum %s %s = %d", file.Enums().Get(i).FullName(), values.Get(j).Name(), values.Get(j).Number()))
		}
	}
	for i := range file.Messages().Len() {
		fields := file.Messages().Get(i).Fields()
		for j := range fields.Len() {
			lines = append(lines, outlineField(fields.Get(j)))
		}
	}
	return lines
}

func outlineField(f protoreflect.FieldDescriptor) string {
	kind := f.Kind().String()
	switch {
	case f.Enum() != nil:
		kind = string(f.Enum().FullName())
	case f.Message() != nil:
		kind = string(f.Message().FullName())
	}
	oneof := ""
	if f.ContainingOneof() != nil {
		oneof = string(f.ContainingOneof().Name())
	}
	return fmt.Sprintf("field %s = %d: %s %s, oneof %q", f.FullName(), f.Number(), f.Cardinality(), kind, oneof)
}
