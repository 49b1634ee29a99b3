package replicas_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/test/skewed"
)

// program is the path of the gateway's binary, and skewedPath that of the one whose clock can be
// shifted, which is built when a test needs it.
var (
	program, skewedPath string
	buildSkewed         sync.Once
)

// skewedProgram returns skewedPath.
func skewedProgram(tb testing.TB) string {
	tb.Helper()
	buildSkewed.Do(func() {
		if err := skewed.Build(tb.Context(), "../../cmd/server", skewedPath); err != nil {
			tb.Fatal(err)
		}
	})
	return skewedPath
}

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests mostly wait.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(withProgram{m})
}

// withProgram builds the program before the tests and removes it afterwards.
type withProgram struct{ *testing.M }

func (b withProgram) Run() int {
	dir, err := os.MkdirTemp("", "replicas")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program, skewedPath = filepath.Join(dir, "server"), filepath.Join(dir, "skewed")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/server").CombinedOutput(); err != nil {
		panic(string(out))
	}
	done := make(chan struct{})
	var measuring sync.WaitGroup
	measuring.Go(func() { stalls.run(done) })
	defer func() { close(done); measuring.Wait() }()
	return b.M.Run()
}
