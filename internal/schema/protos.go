package schema

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"time"
)

// aboutProto says what each proto is for.
var aboutProto = map[string]string{
	"audian/conference/v2/participant_service.proto": "The service and its messages, without the options that need imports.",
	"google/rpc/code.proto":                          "The codes of a Status.",
	"google/rpc/error_details.proto":                 "The details of errors: ErrorInfo, BadRequest, RetryInfo, QuotaFailure.",
	"google/rpc/status.proto":                        "The Status that carries them (the metadata grpc-status-details-bin).",
}

// protoForms are the protos by the paths that they have in reflection too, so that
// tools which meet both know them to be the same.
func protoForms() []form {
	var found []form
	root := protoRoot()
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		found = append(found, form{path, "text/plain; charset=utf-8", aboutProto[path], content})
		return nil
	}
	if err := fs.WalkDir(root, ".", walk); err != nil {
		panic("schema: " + err.Error()) // They are embedded, or this did not compile.
	}
	return found
}

func protoRoot() fs.FS {
	root, err := fs.Sub(protos, "proto")
	if err != nil {
		panic("schema: " + err.Error())
	}
	return root
}

// earliest is the first time that a zip can hold: the archive is the same each time.
var earliest = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// archive are the protos as a zip.
func archive() []byte {
	var zipped bytes.Buffer
	writer := zip.NewWriter(&zipped)
	for _, proto := range protoForms() {
		file, err := writer.CreateHeader(&zip.FileHeader{Name: proto.name, Method: zip.Deflate, Modified: earliest})
		if err == nil {
			_, err = file.Write(proto.content)
		}
		if err != nil {
			panic(fmt.Sprintf("schema: zip %s: %v", proto.name, err)) // Nothing is written but memory.
		}
	}
	if err := writer.Close(); err != nil {
		panic("schema: zip the protos: " + err.Error())
	}
	return zipped.Bytes()
}
