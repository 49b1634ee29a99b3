package deploycheck

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var server = flag.String("server", "", "the gateway's binary; make deploy-check passes it")

// TestTheGatewayStartsWithTheFlags starts the gateway with the flags of each way to deploy it, except that of Redis, for which it
// would wait.
func TestTheGatewayStartsWithTheFlags(t *testing.T) {
	if *server == "" {
		t.Skip("run make deploy-check")
	}
	for name, args := range map[string][]string{
		"kubernetes": deployment(t, manifests(t)).Spec.Template.Spec.Containers[0].Args,
		"helm":       deployment(t, rendered(t, full)).Spec.Template.Spec.Containers[0].Args,
		"plaintext":  deployment(t, rendered(t, fixed)).Spec.Template.Spec.Containers[0].Args,
		"compose":    composeFile(t).Services["gateway"].Command,
		"systemd":    unitArgs(t),
	} {
		t.Run(name, func(t *testing.T) { startWith(t, args) })
	}
}

const redisFlag = "--redis-url-file="

func TestTheFlagOfRedisExists(t *testing.T) {
	if *server == "" {
		t.Skip("run make deploy-check")
	}
	help, err := exec.Command(*server, "--help").Output()
	if err != nil || !strings.Contains(string(help), redisFlag) {
		t.Errorf("%v: --help does not contain %s", err, redisFlag)
	}
}

// unitArgs returns the arguments of ExecStart.
func unitArgs(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, "systemd", "participant-gateway.service"))
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(text), "\nExecStart="+installed+" ")
	line, _, _ = strings.Cut(line, "\n")
	return strings.Fields(line)
}

// startWith starts the gateway and waits until it prints its addresses.
func startWith(t *testing.T, args []string) {
	t.Helper()
	directory := t.TempDir()
	writeSecrets(t, directory)
	moved := strings.NewReplacer(
		"/run/secrets/upstream/", directory+"/", "/run/secrets/keys/", directory+"/", "/run/secrets/tls/", directory+"/",
		"/run/secrets/", directory+"/", "${CREDENTIALS_DIRECTORY}", directory, "${LOGS_DIRECTORY}", directory)
	var own []string
	for _, arg := range args {
		if !strings.HasPrefix(arg, redisFlag) {
			own = append(own, moved.Replace(arg))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const free = "127.0.0.1:0"
	command := exec.CommandContext(ctx, *server, append(own, "--http-addr="+free, "--grpc-addr="+free, "--admin-addr="+free)...)
	var log strings.Builder
	command.Env, command.Stderr = []string{}, &log
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "admin") {
		continue
	}
	served := strings.HasPrefix(lines.Text(), "admin")
	cancel()
	if err := command.Wait(); !served {
		t.Errorf("the gateway does not start: %v\n%s", err, &log)
	}
}

// writeSecrets writes a file for each secret of the deployments.
func writeSecrets(t *testing.T, directory string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"gateway.test"}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"upstream-credential": "a-secret-of-the-upstream",
		"api-key":             "a-secret-of-the-upstream",
		"keys":                "participant-gateway-keys 1\n",
		"tls.crt":             string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		"tls.key":             string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
