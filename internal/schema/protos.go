package schema

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"time"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/gen/plainproto"
)

// protoDescriptions describes each proto.
var protoDescriptions = map[string]string{
	"audian/conference/v2/participant_service.proto": "The service and its messages, without the options that need imports.",
	"google/rpc/code.proto":                          "The codes of a Status.",
	"google/rpc/error_details.proto":                 "The details of errors: ErrorInfo, BadRequest, RetryInfo, QuotaFailure.",
	"google/rpc/status.proto":                        "The Status that carries them (the metadata grpc-status-details-bin).",
}

// errorFiles are the linked files that define the details of errors.
var errorFiles = []protoreflect.FileDescriptor{
	code.File_google_rpc_code_proto,
	errdetails.File_google_rpc_error_details_proto,
	status.File_google_rpc_status_proto,
}

// Protos returns the protos that a client needs: the service's, and those of its errors, printed from the
// linked descriptors. Their names are those in reflection, so that a tool that reads both
// recognizes them as the same files.
func Protos() []File {
	found := serviceProto()
	for _, linked := range errorFiles {
		found = append(found, protoFile(linked.Path(), func() []byte { return printed(linked) }))
	}
	return found
}

func printed(linked protoreflect.FileDescriptor) []byte {
	text, err := new(protoprint.Printer).PrintProtoToString(linked)
	if err != nil {
		panic(fmt.Sprintf("schema: print %s: %v", linked.Path(), err)) // Linked files are valid.
	}
	return []byte(text)
}

func protoFile(path string, content func() []byte) File {
	return File{path, "text/plain; charset=utf-8", protoDescriptions[path], content}
}

func serviceProto() []File {
	var found []File
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		found = append(found, protoFile(path, func() []byte { return embedded(path) }))
		return nil
	}
	if err := fs.WalkDir(plainproto.Files, ".", walk); err != nil {
		panic("schema: " + err.Error()) // Embedded files exist.
	}
	return found
}

func embedded(path string) []byte {
	content, err := plainproto.Files.ReadFile(path)
	if err != nil {
		panic("schema: " + err.Error()) // Embedded files exist.
	}
	return content
}

// earliest is the first time that a zip can contain. A constant time makes the archive the
// same in each build.
var earliest = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// archive returns the protos as a zip.
func archive() []byte {
	var zipped bytes.Buffer
	writer := zip.NewWriter(&zipped)
	for _, proto := range Protos() {
		file, err := writer.CreateHeader(&zip.FileHeader{Name: proto.Name, Method: zip.Deflate, Modified: earliest})
		if err == nil {
			_, err = file.Write(proto.Content())
		}
		if err != nil {
			panic(fmt.Sprintf("schema: zip %s: %v", proto.Name, err)) // Writes to memory do not fail.
		}
	}
	if err := writer.Close(); err != nil {
		panic("schema: zip the protos: " + err.Error())
	}
	return zipped.Bytes()
}
