// Command skewed builds the gateway with a clock that an environment variable shifts, for tests.
//
// Usage, at the top of the repository:
//
//	go run ./tools/skewed FILE
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/audian/participant-gateway/test/skewed"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./tools/skewed FILE")
		os.Exit(2)
	}
	if err := skewed.Build(context.Background(), "./cmd/server", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "skewed:", err)
		os.Exit(1)
	}
}
