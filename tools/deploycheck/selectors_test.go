package deploycheck

import (
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestSelectorsFindThePods checks that every object that selects pods selects those of the Deployment.
func TestSelectorsFindThePods(t *testing.T) {
	for _, objects := range [][]object{manifests(t), rendered(t, defaults), rendered(t, full)} {
		deployed := deployment(t, objects)
		pod := deployed.Spec.Template.Labels
		for _, one := range objects {
			found := true
			switch typed := one.typed.(type) {
			case *apps.Deployment:
				found = matches(typed.Spec.Selector.MatchLabels, pod)
			case *core.Service:
				found = matches(typed.Spec.Selector, pod)
			case *policy.PodDisruptionBudget:
				found = matches(typed.Spec.Selector.MatchLabels, pod)
			case *networking.NetworkPolicy:
				found = matches(typed.Spec.PodSelector.MatchLabels, pod)
			case *autoscaling.HorizontalPodAutoscaler:
				found = typed.Spec.ScaleTargetRef.Name == deployed.Name
			case *monitoring.ServiceMonitor:
				service := adminLabels(objects)
				found = matches(typed.Spec.Selector.MatchLabels, service)
				if job := service[typed.Spec.JobLabel]; job != "participant-gateway" {
					t.Errorf("Prometheus' job is %q, which the alerts do not expect", job)
				}
			}
			if !found {
				t.Errorf("%s does not select %v", one.id, pod)
			}
		}
	}
}

// matches reports whether a selector, which must not be empty, selects labels.
func matches(selector, found map[string]string) bool {
	return len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(found))
}

// adminLabels returns the labels of the service with the admin port.
func adminLabels(objects []object) map[string]string {
	for _, one := range objects {
		if service, ok := one.typed.(*core.Service); ok && service.Spec.Ports[0].Name == "admin" {
			return service.Labels
		}
	}
	return nil
}
