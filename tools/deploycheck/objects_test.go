package deploycheck

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const deploy = "../../deploy"

// kinds are the types of the objects that we deploy.
var kinds = map[string]func() any{
	"v1 ServiceAccount":                       func() any { return new(core.ServiceAccount) },
	"v1 Service":                              func() any { return new(core.Service) },
	"apps/v1 Deployment":                      func() any { return new(apps.Deployment) },
	"policy/v1 PodDisruptionBudget":           func() any { return new(policy.PodDisruptionBudget) },
	"autoscaling/v2 HorizontalPodAutoscaler":  func() any { return new(autoscaling.HorizontalPodAutoscaler) },
	"networking.k8s.io/v1 NetworkPolicy":      func() any { return new(networking.NetworkPolicy) },
	"monitoring.coreos.com/v1 ServiceMonitor": func() any { return new(monitoring.ServiceMonitor) },
}

// object is one object, decoded as its type and as plain YAML.
type object struct {
	id    string
	typed any
	plain map[string]any
}

var separator = regexp.MustCompile(`(?m)^---$`)

// decode reads the objects of a file. A field that the type does not have is an error.
func decode(t *testing.T, name, text string) []object {
	t.Helper()
	var found []object
	for _, document := range separator.Split(text, -1) {
		var plain map[string]any
		if err := yaml.UnmarshalStrict([]byte(document), &plain); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, document)
		}
		if len(plain) == 0 {
			continue
		}
		kind, _ := plain["kind"].(string)
		version, _ := plain["apiVersion"].(string)
		create, known := kinds[version+" "+kind]
		if !known {
			t.Fatalf("%s: %s %s is a kind without a type", name, version, kind)
		}
		typed := create()
		if err := yaml.UnmarshalStrict([]byte(document), typed); err != nil {
			t.Fatalf("%s: %s: %v", name, kind, err)
		}
		metadata, _ := plain["metadata"].(map[string]any)
		objectName, _ := metadata["name"].(string)
		found = append(found, object{id: kind + " " + objectName, typed: typed, plain: plain})
	}
	return found
}

// manifests returns the objects of deploy/kubernetes, and checks that kustomization.yaml lists their files.
func manifests(t *testing.T) []object {
	t.Helper()
	directory := filepath.Join(deploy, "kubernetes")
	paths, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var kustomization struct{ Resources []string }
	var objects []object
	var files []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(path); name != "kustomization.yaml" {
			files = append(files, name)
			objects = append(objects, decode(t, path, string(text))...)
		} else if err := yaml.Unmarshal(text, &kustomization); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(kustomization.Resources)
	if !slices.Equal(files, kustomization.Resources) {
		t.Errorf("kustomization.yaml lists %s, the directory has %s", kustomization.Resources, files)
	}
	return objects
}

// deployment returns the only Deployment of the objects.
func deployment(t *testing.T, objects []object) *apps.Deployment {
	t.Helper()
	for _, one := range objects {
		if found, ok := one.typed.(*apps.Deployment); ok {
			return found
		}
	}
	t.Fatal("there is no Deployment")
	return nil
}

func ids(objects []object) string {
	var all []string
	for _, one := range objects {
		all = append(all, one.id)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
