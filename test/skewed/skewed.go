// Package skewed builds the gateway with a clock that an environment variable shifts: it replaces
// the standard library's time.Now at build time, so that the product needs no such option (R12).
package skewed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
)

// Variable is the environment variable with the skew in seconds, such as 60 or -60.
const Variable = "TEST_CLOCK_SKEW_SECONDS"

const (
	original = "sec, nsec, mono := runtimeNow()\n\tif mono == 0 {"
	shifted  = "sec, nsec, mono := runtimeNow()\n\tsec += testSkew\n\tif mono == 0 {"
	variable = `

// testSkew shifts the clock of a test's process.
var testSkew = func() int64 {
	text, _ := syscall.Getenv("` + Variable + `")
	seconds, _ := atoi(text)
	return int64(seconds)
}()
`
	imports = "import (\n"
)

// Build builds the package of a command to a file. It must run within the module.
func Build(ctx context.Context, pkg, output string, flags ...string) error {
	dir, err := os.MkdirTemp("", "skewed")
	if err != nil {
		return fmt.Errorf("skewed clock: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // It is a temporary directory.
	overlay, err := writeOverlay(ctx, dir)
	if err != nil {
		return fmt.Errorf("skewed clock: %w", err)
	}
	args := append([]string{"build", "-overlay", overlay, "-o", output}, flags...)
	build := exec.CommandContext(ctx, "go", append(args, pkg)...) //nolint:gosec // The caller chooses what is built.
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("skewed clock: go build: %w: %s", err, out)
	}
	return nil
}

// writeOverlay writes the shifted source, and the file that makes the compiler use it.
func writeOverlay(ctx context.Context, dir string) (overlay string, err error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	file := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(file) //nolint:gosec // It is the compiler's own.
	if err != nil {
		return "", fmt.Errorf("read the standard library: %w", err)
	}
	if bytes.Count(source, []byte(original)) != 1 {
		return "", fmt.Errorf("%s has another form of time.Now", file)
	}
	text := strings.Replace(string(source), original, shifted, 1) + variable
	text = strings.Replace(text, imports, imports+"\t\"syscall\"\n", 1)
	changed := filepath.Join(dir, "time.go")
	content, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	for name, bytes := range map[string][]byte{changed: []byte(text), overlay: content} {
		if err := os.WriteFile(name, bytes, 0o600); err != nil {
			return "", fmt.Errorf("write the overlay: %w", err)
		}
	}
	return overlay, nil
}
