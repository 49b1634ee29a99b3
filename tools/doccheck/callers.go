package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// caller is a program in callers/ with its requirements.
type caller struct {
	name string
	// check succeeds if the requirements are installed.
	check string
	// install installs the requirements into $NEEDS.
	install string
	// run runs the program.
	run string
}

// Programs and modules in $NEEDS take precedence over those of the system.
var callers = []caller{
	{name: "curl", check: `command -v curl`, install: `false`, run: `bash tools/doccheck/callers/curl.sh`},
	{
		name:    "Python, requests",
		check:   `PATH="$NEEDS/venv/bin:$PATH" python3 -c 'import requests'`,
		install: `python3 -m venv "$NEEDS/venv" && "$NEEDS/venv/bin/pip" install --quiet --disable-pip-version-check requests`,
		run:     `PATH="$NEEDS/venv/bin:$PATH" python3 tools/doccheck/callers/requests_caller.py`,
	},
	{
		name:    "Node, axios",
		check:   `NODE_PATH="$NEEDS/node_modules" node -e 'require("axios")'`,
		install: `npm install --silent --no-audit --no-fund --prefix "$NEEDS" axios`,
		run:     `NODE_PATH="$NEEDS/node_modules" node tools/doccheck/callers/axios_caller.js`,
	},
	{
		name:    "Node, EventSource",
		check:   `NODE_PATH="$NEEDS/node_modules" node -e 'require("eventsource")'`,
		install: `npm install --silent --no-audit --no-fund --prefix "$NEEDS" eventsource@4`,
		run:     `NODE_PATH="$NEEDS/node_modules" node tools/doccheck/callers/page_caller.cjs`,
	},
	{
		name:  "Python, gRPC",
		check: `"$NEEDS/grpc/bin/python" -c 'import grpc_tools'`,
		install: `python3 -m venv "$NEEDS/grpc" && "$NEEDS/grpc/bin/pip" install --quiet --disable-pip-version-check ` +
			`grpcio grpcio-tools googleapis-common-protos`,
		run: `"$NEEDS/grpc/bin/python" tools/doccheck/callers/grpc_caller.py`,
	},
}

// callerModes are the modes in which the gateway ignores a caller's token or passes it
// through.
var callerModes = []string{"none", "passthrough"}

// checkCallers runs the callers against a gateway of each mode.
func checkCallers(ctx context.Context, out io.Writer) tally {
	var t tally
	needs, err := os.MkdirTemp("", "doccheck")
	if err != nil {
		_, _ = fmt.Fprintf(out, "FAIL   callers: %v\n", err)
		return tally{failed: 1}
	}
	defer os.RemoveAll(needs) //nolint:errcheck // It is in the system's temporary directory.
	ready := map[string]error{}
	for _, c := range callers {
		ready[c.name] = c.prepare(ctx, needs)
	}
	for _, mode := range callerModes {
		t.add(callAll(ctx, mode, needs, ready, out))
	}
	return t
}

func callAll(ctx context.Context, mode, needs string, ready map[string]error, out io.Writer) tally {
	var t tally
	b, err := start(ctx, mode, os.Stderr)
	if err != nil {
		_, _ = fmt.Fprintf(out, "FAIL   callers, --auth=%s: %v\n", mode, err)
		return tally{failed: 1}
	}
	defer b.stop()
	for _, c := range callers {
		name := c.name + ", --auth=" + mode
		if missing := ready[c.name]; missing != nil {
			t.skipped++
			_, _ = fmt.Fprintf(out, "skip   %s: %v\n", name, missing)
			continue
		}
		t.ran++
		if printed, err := shell(ctx, time.Minute, b.substitute(export(needs, "export AUTH="+mode+"\n"+c.run))); err != nil {
			t.failed++
			_, _ = fmt.Fprintf(out, "FAIL   %s: %v\n%s\n", name, err, printed)
			continue
		}
		_, _ = fmt.Fprintf(out, "ok     %s\n", name)
	}
	return t
}

// prepare checks the requirements of a caller, and installs them in CI.
func (c caller) prepare(ctx context.Context, needs string) error {
	if _, err := shell(ctx, time.Minute, export(needs, c.check)); err == nil {
		return nil
	}
	if os.Getenv("CI") != "true" {
		return errors.New("its library is not installed (CI=true installs it temporarily)")
	}
	printed, err := shell(ctx, 2*time.Minute, export(needs, c.install))
	if err != nil {
		return fmt.Errorf("install: %w: %s", err, printed)
	}
	return nil
}

// export sets the variables of a script.
func export(needs, script string) string {
	return fmt.Sprintf("export NEEDS=%s BASE_URL=http://%s/v2 GRPC_ADDR=%s\n%s",
		filepath.Clean(needs), defaultHTTP, defaultGRPC, script)
}
