package deploycheck

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// composeFile loads deploy/compose.yaml as Compose does, with its schema.
func composeFile(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose.yaml")}, cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestTheComposeFileIsValid(t *testing.T) {
	project := composeFile(t)
	gateway := project.Services["gateway"]
	if !gateway.ReadOnly || !slices.Equal(gateway.CapDrop, []string{"ALL"}) {
		t.Error("the gateway's container is not confined")
	}
	// The default of --drain-timeout is 15 s, that of --drain-delay 0.
	if grace := time.Duration(*gateway.StopGracePeriod); grace <= 15*time.Second {
		t.Errorf("the gateway is killed after %v", grace)
	}
	for name, service := range project.Services {
		for _, secret := range service.Secrets {
			if _, found := project.Secrets[secret.Source]; !found {
				t.Errorf("%s uses the secret %s, which is not defined", name, secret.Source)
			}
		}
	}
	if build := gateway.Build; filepath.Join(build.Context, build.Dockerfile) != mustAbs(t, filepath.Join(deploy, "Dockerfile")) {
		t.Errorf("it builds %s in %s", build.Dockerfile, build.Context)
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}
