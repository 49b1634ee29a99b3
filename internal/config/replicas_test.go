package config_test

import (
	"strings"
	"testing"
)

func TestReplicaVariablesAreRefused(t *testing.T) {
	for _, variable := range []string{"GATEWAY_REDIS_URL", "GATEWAY_REDIS_URL_FILE"} {
		line := parseError(t, []string{"--demo"}, environ{variable: "redis://:secret@127.0.0.1:6379"})
		if !strings.Contains(line, variable) || strings.Contains(line, "secret") {
			t.Errorf("got %q", line)
		}
	}
	parse(t, []string{"--demo"}, environ{"GATEWAY_REDIS_URL": ""})
}
