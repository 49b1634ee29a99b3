package proxies

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// program is the path of the gateway's binary.
var program string

func TestMain(m *testing.M) { goleak.VerifyTestMain(withProgram{m}) }

// withProgram builds the program before the tests and removes it afterwards.
type withProgram struct{ *testing.M }

func (b withProgram) Run() int {
	dir, err := os.MkdirTemp("", "proxies")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "server")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/server").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return b.M.Run()
}
