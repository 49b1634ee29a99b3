package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// file is one file of a layer. Root owns all of them.
type file struct {
	name    string
	mode    int64
	content []byte
}

// newLayer packs the files and their directories. All times are the Unix epoch, so that equal files make equal layers.
func newLayer(files []file) (v1.Layer, error) {
	var packed bytes.Buffer
	out := tar.NewWriter(&packed)
	seen := map[string]bool{".": true}
	for _, f := range files {
		if err := addParents(out, f.name, seen); err != nil {
			return nil, err
		}
		header := tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.content)), ModTime: time.Unix(0, 0)}
		if err := out.WriteHeader(&header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := out.Write(f.content); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := out.Close(); err != nil {
		return nil, fmt.Errorf("pack the layer: %w", err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("compress the layer: %w", err)
	}
	return layer, nil
}

// addParents adds the directories above a name that the layer does not have yet.
func addParents(out *tar.Writer, name string, seen map[string]bool) error {
	parent := path.Dir(name)
	if seen[parent] {
		return nil
	}
	if err := addParents(out, parent, seen); err != nil {
		return err
	}
	seen[parent] = true
	header := tar.Header{Typeflag: tar.TypeDir, Name: parent + "/", Mode: 0o755, ModTime: time.Unix(0, 0)}
	if err := out.WriteHeader(&header); err != nil {
		return fmt.Errorf("pack %s: %w", parent, err)
	}
	return nil
}
