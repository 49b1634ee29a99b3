package main

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

var imageDirectory = flag.String("image", "", "the OCI layout to run; make image-check passes it")

// TestTheImageServes unpacks the image for this machine, runs it with its own root, user and environment, and nothing else, and
// waits until it is ready. Its ports are other ones, on loopback, because those of the image may be taken.
func TestTheImageServes(t *testing.T) {
	if *imageDirectory == "" {
		t.Skip("run make image-check")
	}
	index, err := layout.ImageIndexFromPath(*imageDirectory)
	if err != nil {
		t.Fatal(err)
	}
	image := platformImage(t, index, runtime.GOARCH)
	root := t.TempDir()
	unpack(t, image, root)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	gateway := start(ctx, t, config(t, image).Config, root)
	if got := get(ctx, t, gateway.admin+"/readyz"); got != "ready\n" {
		t.Errorf("/readyz returned %q", got)
	}
	if err := gateway.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := gateway.Wait(); err != nil {
		t.Errorf("the gateway ended with %v:\n%s", err, &gateway.log)
	}
	if strings.Contains(gateway.log.String(), "without effect") {
		t.Errorf("a variable of the image has no effect:\n%s", &gateway.log)
	}
}

func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	files := mutate.Extract(image)
	defer files.Close()
	reader := tar.NewReader(files)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, filepath.Clean("/"+header.Name))
		if header.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, header.FileInfo().Mode())
		} else {
			err = writeFile(path, header.FileInfo().Mode(), reader)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func writeFile(path string, mode os.FileMode, content io.Reader) error {
	text, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, mode)
}

// running is a gateway that a test started from an image.
type running struct {
	*exec.Cmd

	admin string
	log   strings.Builder
}

// start runs the image with the strongest isolation that the machine allows: in its own root, as the image's user. A machine that
// forbids both still shows that the binary needs nothing else.
func start(ctx context.Context, t *testing.T, config v1.Config, root string) *running {
	t.Helper()
	gateway, err := startWith(ctx, t, config, "", isolation(root))
	if errors.Is(err, os.ErrPermission) {
		t.Log("the machine allows no other root; the binary runs in the machine's")
		gateway, err = startWith(ctx, t, config, root, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return gateway
}

// isolation changes the root and the user, which needs root or a user namespace.
func isolation(root string) *syscall.SysProcAttr {
	const id = 65532
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: id, Gid: id}}
	}
	return &syscall.SysProcAttr{
		Chroot: root, Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getegid(), Size: 1}},
	}
}

func startWith(ctx context.Context, t *testing.T, config v1.Config, prefix string, attributes *syscall.SysProcAttr) (*running, error) {
	t.Helper()
	const free = "127.0.0.1:0"
	gateway := &running{Cmd: exec.CommandContext(ctx, prefix+config.Entrypoint[0], "--demo", "--http-addr="+free, "--grpc-addr="+free, "--admin-addr="+free)}
	gateway.Dir, gateway.Env, gateway.SysProcAttr, gateway.Stderr = "/", config.Env, attributes, &gateway.log
	output, err := gateway.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(output); gateway.admin == ""; {
		if !lines.Scan() {
			t.Fatalf("the gateway printed no address: %v\n%s", gateway.Wait(), &gateway.log)
		}
		_, gateway.admin, _ = strings.Cut(lines.Text(), "admin  ")
	}
	return gateway, nil
}

// get repeats a request until its answer is OK.
func get(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	for pause := time.NewTicker(50 * time.Millisecond); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := new(http.Client).Do(request); err == nil {
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err == nil && response.StatusCode == http.StatusOK {
				return string(body)
			}
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", url, ctx.Err())
		}
	}
}
