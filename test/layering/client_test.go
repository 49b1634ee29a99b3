package layering_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clientModules are the modules that a module with package client requires.
var clientModules = []string{
	"github.com/audian/participant-gateway",
	"golang.org/x/net",
	"golang.org/x/sys",
	"golang.org/x/text",
	"google.golang.org/genproto/googleapis/rpc",
	"google.golang.org/grpc",
	"google.golang.org/protobuf",
}

// clientPackages are the packages of this module that package client links.
var clientPackages = []string{
	module + "client",
	module + "gen/audian/conference/v2",
	module + "internal/jitter",
	module + "internal/protooptions/unlinked",
}

func TestClientLinksGRPCAndProtobufAlone(t *testing.T) {
	out := run(t, root, "list", "-deps", "-f", "{{if .Module}}{{.Module.Path}} {{.ImportPath}}{{end}}", "./client")
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		path, imported, _ := strings.Cut(line, " ")
		if !slices.Contains(clientModules, path) || strings.HasPrefix(imported, module) && !slices.Contains(clientPackages, imported) {
			t.Errorf("package client links %s: programs of others would link it too", imported)
		}
	}
}

// TestModuleOfAClientStaysSmall builds a module that uses package client, without the network:
// this repository has built with all that it may require.
func TestModuleOfAClientStaysSmall(t *testing.T) {
	user := t.TempDir()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"go.mod": "module user.example/program\n\ngo 1.26\n\nrequire github.com/audian/participant-gateway v0.0.0\n\n" +
			"replace github.com/audian/participant-gateway => " + repository + "\n",
		"go.sum":  string(sums),
		"main.go": "package main\n\nimport \"github.com/audian/participant-gateway/client\"\n\nfunc main() { _, _ = client.New(\"127.0.0.1:9090\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(user, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// -mod=mod adds what the program needs to go.mod, as go mod tidy does.
	run(t, user, "build", "-o", os.DevNull, ".")
	var required dependencies
	required.read(t, filepath.Join(user, "go.mod"))
	for _, path := range slices.Concat(required.direct, required.indirect) {
		if !slices.Contains(clientModules, path) {
			t.Errorf("a module with package client requires %s", path)
		}
	}
	if len(required.indirect) == 0 {
		t.Error("the module requires nothing: the build has not completed its go.mod")
	}
}

// run runs the go command offline, and returns its output.
func run(t *testing.T, dir string, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = dir
	command.Env = append(command.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, problems.String())
	}
	return string(out)
}
