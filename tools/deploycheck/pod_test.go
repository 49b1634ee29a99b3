package deploycheck

import (
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

// checkPod checks the promises of docs/deployment.md about pods.
func checkPod(t *testing.T, deployed *apps.Deployment) {
	t.Helper()
	pod := deployed.Spec.Template.Spec
	container := pod.Containers[0]
	checkPrivileges(t, pod, container)
	checkDrain(t, pod, container)
	if probe := container.ReadinessProbe; probe.HTTPGet.Path != "/readyz" || probe.HTTPGet.Port.String() != "admin" {
		t.Errorf("the readiness probe is %v", probe.HTTPGet)
	}
	if probe := container.LivenessProbe; probe.HTTPGet.Path != "/healthz" || probe.HTTPGet.Port.String() != "admin" {
		t.Errorf("the liveness probe is %v", probe.HTTPGet)
	}
	mounted := map[string]bool{}
	for _, mount := range container.VolumeMounts {
		mounted[mount.Name] = mount.ReadOnly
	}
	for _, volume := range pod.Volumes {
		if !mounted[volume.Name] {
			t.Errorf("volume %s is not mounted read-only", volume.Name)
		}
	}
	if len(mounted) != len(pod.Volumes) {
		t.Errorf("%d mounts, %d volumes", len(mounted), len(pod.Volumes))
	}
}

func checkPrivileges(t *testing.T, pod core.PodSpec, container core.Container) {
	t.Helper()
	user, limits := pod.SecurityContext, container.SecurityContext
	for problem, found := range map[string]bool{
		"it may run as root":                  !*user.RunAsNonRoot || *user.RunAsUser != 65532,
		"seccomp is not RuntimeDefault":       user.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault,
		"it may get privileges":               *limits.AllowPrivilegeEscalation,
		"its root file system can be written": !*limits.ReadOnlyRootFilesystem,
		"it has capabilities":                 len(limits.Capabilities.Drop) != 1 || limits.Capabilities.Drop[0] != "ALL",
		"it has a token of the cluster":       *pod.AutomountServiceAccountToken,
		"it has variables of services":        *pod.EnableServiceLinks,
		"its memory has no limit":             container.Resources.Limits.Memory().IsZero(),
	} {
		if found {
			t.Error("the pod is not confined: " + problem)
		}
	}
}

// checkDrain checks that Kubernetes waits until the gateway has drained (W16).
func checkDrain(t *testing.T, pod core.PodSpec, container core.Container) {
	t.Helper()
	drain := duration(t, container, "--drain-delay") + duration(t, container, "--drain-timeout") +
		time.Duration(container.Lifecycle.PreStop.Sleep.Seconds)*time.Second
	if grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; grace <= drain {
		t.Errorf("the pod is killed after %v, but it drains for %v", grace, drain)
	}
}

func duration(t *testing.T, container core.Container, flag string) time.Duration {
	t.Helper()
	for _, arg := range container.Args {
		if text, found := strings.CutPrefix(arg, flag+"="); found {
			value, err := time.ParseDuration(text)
			if err != nil {
				t.Errorf("%s: %v", arg, err)
			}
			return value
		}
	}
	t.Errorf("there is no %s", flag)
	return 0
}
