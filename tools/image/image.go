package main

import (
	"fmt"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// release says what the binaries were built from.
type release struct {
	version, revision string
	created           time.Time
}

// executable is the gateway's path in the image.
const executable = "participant-gateway"

// config is the configuration of every image. The listeners accept connections from outside of the container; so the gateway
// refuses to start until its flags say who may call and how connections are protected.
func (r release) config() v1.Config {
	return v1.Config{
		User:         user + ":" + user,
		Entrypoint:   []string{"/" + executable},
		WorkingDir:   "/",
		StopSignal:   "SIGTERM",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}, "9091/tcp": {}},
		Env: []string{
			"GATEWAY_HTTP_ADDR=0.0.0.0:8080",
			"GATEWAY_GRPC_ADDR=0.0.0.0:9090",
			"GATEWAY_ADMIN_ADDR=0.0.0.0:9091",
		},
		Labels: r.labels(),
	}
}

func (r release) labels() map[string]string {
	const source = "https://github.com/audian/participant-gateway"
	return map[string]string{
		"org.opencontainers.image.title":         "participant-gateway",
		"org.opencontainers.image.description":   "gRPC and REST gateway for the participants of Audian conferences",
		"org.opencontainers.image.source":        source,
		"org.opencontainers.image.documentation": source + "/blob/main/docs/operations.md",
		"org.opencontainers.image.version":       r.version,
		"org.opencontainers.image.revision":      r.revision,
		"org.opencontainers.image.created":       r.created.Format(time.RFC3339),
	}
}

// assemble returns the index of a layout: one image index, tagged with the version, with an image for each binary.
func assemble(origin release, binaries []binary) (v1.ImageIndex, error) {
	files, err := systemFiles()
	if err != nil {
		return nil, err
	}
	system, err := newLayer(files)
	if err != nil {
		return nil, err
	}
	images := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		image, err := origin.image(system, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.arch, err)
		}
		images = mutate.AppendManifests(images, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: b.arch}},
		})
	}
	tag := map[string]string{"org.opencontainers.image.ref.name": origin.version}
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: images, Descriptor: v1.Descriptor{Annotations: tag}}), nil
}

// image returns the image of one binary.
func (r release) image(system v1.Layer, b binary) (v1.Image, error) {
	program, err := newLayer([]file{{name: executable, mode: 0o755, content: b.content}})
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: r.created}
	image, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: "linux", Architecture: b.arch, Created: created, Config: r.config(), RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, fmt.Errorf("set the configuration: %w", err)
	}
	image, err = mutate.Append(image,
		mutate.Addendum{Layer: system, History: v1.History{Created: created, Comment: "users and root certificates"}},
		mutate.Addendum{Layer: program, History: v1.History{Created: created, Comment: executable + " " + r.version}})
	if err != nil {
		return nil, fmt.Errorf("append the layers: %w", err)
	}
	return image, nil
}

// write replaces the layout in a directory.
func write(directory string, index v1.ImageIndex) error {
	if err := os.RemoveAll(directory); err != nil {
		return fmt.Errorf("remove the earlier layout: %w", err)
	}
	if _, err := layout.Write(directory, index); err != nil {
		return fmt.Errorf("write the layout: %w", err)
	}
	return nil
}
