package main

import (
	"strings"
	"testing"
)

func TestMatrix(t *testing.T) {
	steps := []step{{Name: "add"}, {Name: "life"}}
	results := []clientResult{
		{Client: "go", BuildSeconds: 2.4, RunSeconds: 55.6, Steps: []stepResult{{Step: "add", Result: passed}, {Step: "life", Result: without}}},
		{Client: "rust", Skipped: "there is no cargo"},
		{Client: "java", Steps: []stepResult{{Step: "add", Result: passed}, {Step: "life", Result: failed, Problems: []string{"w: hangs"}}}},
		{Client: "cpp", Problem: "build: exit status 2"},
	}
	var out strings.Builder
	printMatrix(&out, steps, results)
	const want = `client build run  add    life
go     2 s   56 s ok     -
rust   0 s   0 s  skip   skip
java   0 s   0 s  ok     FAILED
cpp    0 s   0 s  FAILED FAILED

rust SKIPPED: there is no cargo

java, life:
  w: hangs

cpp: build: exit status 2
`
	if out.String() != want {
		t.Errorf("printed\n%s", out.String())
	}
	for n, want := range map[int]struct{ local, ci bool }{1: {true, true}, 2: {true, false}, 3: {false, false}} {
		if got := ok(results[:n], false); got != want.local {
			t.Errorf("%d clients: ok is %t", n, got)
		}
		if got := ok(results[:n], true); got != want.ci {
			t.Errorf("%d clients in CI: ok is %t", n, got)
		}
	}
	if ok(results[3:], false) {
		t.Error("a build that failed is ok")
	}
}
