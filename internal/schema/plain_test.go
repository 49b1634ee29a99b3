package schema_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const servicePath = "audian/conference/v2/participant_service.proto"

// unzipped returns the files of the zip.
func unzipped(t *testing.T) map[string]string {
	t.Helper()
	body := file(t, "proto.zip")
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, file := range archive.File {
		content, err := fs.ReadFile(archive, file.Name)
		if err != nil {
			t.Fatal(err)
		}
		files[file.Name] = string(content)
	}
	return files
}

// compilePlain compiles the files of the zip with protoc's own files only.
func compilePlain(t *testing.T) linker.Files {
	t.Helper()
	sources := unzipped(t)
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(sources),
	})}
	files, err := compiler.Compile(t.Context(), slices.Sorted(maps.Keys(sources))...)
	if err != nil {
		t.Fatalf("the zip does not compile without other files: %v", err)
	}
	return files
}

// Reflection returns the linked files.
func TestPlainProtosMatchTheLinkedOnes(t *testing.T) {
	files := compilePlain(t)
	if len(files) != 4 || files.FindFileByPath(servicePath) == nil {
		t.Errorf("the zip has %d files, want the service's and 3 of google/rpc", len(files))
	}
	compared := 0
	for _, file := range files {
		linked, err := protoregistry.GlobalFiles.FindFileByPath(file.Path())
		if err != nil {
			t.Fatal(err)
		}
		compared += compareOutline(t, file, linked)
	}
	if compared < 130 {
		t.Errorf("only %d lines were compared", compared)
	}
}

func compareOutline(t *testing.T, plain, linked protoreflect.FileDescriptor) int {
	t.Helper()
	got, want := outline(plain), outline(linked)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s does not have %s", plain.Path(), line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s has %s, which the service does not have", plain.Path(), line)
		}
	}
	return len(want)
}

// Code generators read these options.
func TestPlainProtosKeepLanguageOptions(t *testing.T) {
	for _, file := range compilePlain(t) {
		linked, err := protoregistry.GlobalFiles.FindFileByPath(file.Path())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := protodesc.ToFileDescriptorProto(file).GetOptions(), protodesc.ToFileDescriptorProto(linked).GetOptions(); !proto.Equal(got, want) {
			t.Errorf("%s has the options %v, want %v", file.Path(), got, want)
		}
		if options := protodesc.ToFileDescriptorProto(file).GetOptions(); !options.GetJavaMultipleFiles() || options.GetGoPackage() == "" {
			t.Errorf("%s has the options %v", file.Path(), options)
		}
	}
}

func TestPlainProtosImportOnlyTheirFiles(t *testing.T) {
	sources := unzipped(t)
	for _, file := range compilePlain(t) {
		imports := file.Imports()
		for i := range imports.Len() {
			path := imports.Get(i).Path()
			if _, isBeside := sources[path]; !isBeside && !strings.HasPrefix(path, "google/protobuf/") {
				t.Errorf("%s imports %s", file.Path(), path)
			}
		}
	}
}

func TestPlainProtoHasCommentsAndNoExtensions(t *testing.T) {
	source := unzipped(t)[servicePath]
	for _, absent := range []string{"option (", "[(", "buf.validate", "google.api"} {
		if strings.Contains(source, absent) {
			t.Errorf("it has %q", absent)
		}
	}
	for _, comment := range []string{"// The participants of Audian telephone conferences", "// The number to dial, in E.164"} {
		if !strings.Contains(source, comment) {
			t.Errorf("it does not have the comment %q", comment)
		}
	}
}

func TestSingleFilesMatchTheZip(t *testing.T) {
	for name, content := range unzipped(t) {
		if string(file(t, name)) != content {
			t.Errorf("/schema/%s is not the file of the zip", name)
		}
	}
}

// outline returns one line for each method, enum value and field of a file.
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
