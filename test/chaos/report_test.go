package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnyViolationFailsTheRun(t *testing.T) {
	if passed := newResults(1); !passed.report.passed() {
		t.Error("nothing was broken, and yet it is not whole")
	}
	for _, rule := range rules {
		failed := newResults(1)
		failed.violatef(rule, "somehow")
		if failed.report.passed() {
			t.Errorf("whole in spite of %s", rule)
		}
	}
}

func TestFindingsPerRuleAreLimited(t *testing.T) {
	failed := newResults(1)
	for range 10 * mostFindings {
		failed.violatef(inconsistentMessages, "again")
	}
	if n := len(failed.report.Findings); n != mostFindings || failed.report.Broken[inconsistentMessages] != 10*mostFindings {
		t.Errorf("%d findings of %d", n, failed.report.Broken[inconsistentMessages])
	}
}

func TestReportIsReadable(t *testing.T) {
	msg := newResults(42)
	msg.experiment("gateway killed")
	msg.fault("upstream lost")
	msg.call("AddParticipant", "OK")
	msg.upstreamRequest("list", "200")
	var out bytes.Buffer
	msg.report.print(&out)
	path := filepath.Join(t.TempDir(), "chaos.json")
	if err := msg.report.write(path); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"seed": 42`, `"dialled_twice": 0`, `"upstream lost": 1`, `"AddParticipant": {`, `"findings": []`} {
		if !strings.Contains(string(file), want) {
			t.Errorf("the file lacks %s:\n%s", want, file)
		}
	}
	for _, want := range []string{"gateway killed", "requests upstream: list", "dialled_twice", "seed 42"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the print lacks %s:\n%s", want, out.String())
		}
	}
}

func TestLogIsSearchedForSecretsAndPanics(t *testing.T) {
	for name, test := range map[string]struct{ line, rule string }{
		"a call":                       {`{"msg":"call","phone_number":"…0123"}`, ""},
		"the credential":               {`{"error":"refused ` + secret + `"}`, secretsLogged},
		"a caller's number":            {`{"phone_number":"+12025550123"}`, secretsLogged},
		"a visitor's number":           {`{"phone_number":"+12025560123"}`, secretsLogged},
		"a panic":                      {"panic: runtime error", badExits},
		"a panic that a call survived": {`{"error":"panic: runtime error"}`, badExits},
	} {
		counted := newResults(1)
		log := &gatewayLog{out: &bytes.Buffer{}, results: counted}
		for _, piece := range []string{test.line[:5], test.line[5:], "\n"} {
			if _, err := log.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, name, counted, test.rule)
	}
}
