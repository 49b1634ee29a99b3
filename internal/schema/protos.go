package schema

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"time"
)

// protoDescriptions describes each proto.
var protoDescriptions = map[string]string{
	"audian/conference/v2/participant_service.proto": "The service and its messages, without the options that need imports.",
	"google/rpc/code.proto":                          "The codes of a Status.",
	"google/rpc/error_details.proto":                 "The details of errors: ErrorInfo, BadRequest, RetryInfo, QuotaFailure.",
	"google/rpc/status.proto":                        "The Status that carries them (the metadata grpc-status-details-bin).",
}

// protoFiles returns the protos. Their names are those in reflection, so that a tool that
// reads both recognizes them as the same files.
func protoFiles() []File {
	var found []File
	root := protoRoot()
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		found = append(found, File{path, "text/plain; charset=utf-8", protoDescriptions[path], content})
		return nil
	}
	if err := fs.WalkDir(root, ".", walk); err != nil {
		panic("schema: " + err.Error()) // Embedded files exist.
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

// earliest is the first time that a zip can contain. A constant time makes the archive the
// same in each build.
var earliest = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// archive returns the protos as a zip.
func archive() []byte {
	var zipped bytes.Buffer
	writer := zip.NewWriter(&zipped)
	for _, proto := range protoFiles() {
		file, err := writer.CreateHeader(&zip.FileHeader{Name: proto.Name, Method: zip.Deflate, Modified: earliest})
		if err == nil {
			_, err = file.Write(proto.Content)
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
