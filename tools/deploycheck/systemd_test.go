package deploycheck

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const installed = "/usr/local/bin/participant-gateway"

// TestTheSystemdUnitIsValid checks a copy whose program exists, because systemd-analyze refuses others.
func TestTheSystemdUnitIsValid(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(deploy, "systemd", "participant-gateway.service"))
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "participant-gateway.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), installed, "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"verify", "--man=no", unit},
		// The exposure is in tenths; 20 is the best of five classes.
		{"security", "--offline=true", "--threshold=20", unit},
	} {
		output, err := exec.Command("systemd-analyze", command...).CombinedOutput()
		if err != nil || command[0] == "verify" && len(output) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", command[0], err, output)
		}
	}
}
