package main

import (
	"strings"
	"testing"
)

// page returns a page; its fences are written as ”' because Go strings cannot contain them.
func page(lines ...string) string {
	return strings.ReplaceAll(strings.Join(lines, "\n"), "'''", fence)
}

func TestBlocksOf(t *testing.T) {
	found, err := blocksOf("a.md", page(
		"# Title",
		"'''sh",
		"echo one",
		"'''",
		"'''output",
		"one",
		"'''",
		"'''text",
		"ignored",
		"'''",
		`'''sh norun reason="not available here"`,
		"launch",
		"'''",
		"'''sh watch",
		"curl -N x",
		"'''",
		`'''go file="b.go"`,
		"x := 1",
		"'''",
		"'''go",
		"unquoted()",
		"'''",
	))
	if err != nil {
		t.Fatal(err)
	}
	want := []block{
		{where: "a.md:2", language: "sh", script: "echo one", want: "one"},
		{where: "a.md:11", language: "sh", script: "launch", norun: true, reason: "not available here"},
		{where: "a.md:14", language: "sh", script: "curl -N x", watch: true},
		{where: "a.md:17", language: "go", script: "x := 1", file: "b.go"},
	}
	if len(found) != len(want) {
		t.Fatalf("found %d blocks, want %d: %+v", len(found), len(want), found)
	}
	for i := range want {
		if found[i] != want[i] {
			t.Errorf("block %d is %+v, want %+v", i, found[i], want[i])
		}
	}
}

func TestBlocksOf_Invalid(t *testing.T) {
	for name, text := range map[string]string{
		"no end":             page("'''sh", "echo"),
		"output of no block": page("'''output", "x", "'''"),
	} {
		if _, err := blocksOf("a.md", text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCommands(t *testing.T) {
	script, want := commands("$ echo a \\\n    b\na b\n$ echo c\nc")
	if script != "echo a \\\n    b\necho c" {
		t.Errorf("script %q", script)
	}
	if want != "a b\nc" {
		t.Errorf("want %q", want)
	}
}

func TestCheckQuote(t *testing.T) {
	for _, test := range []struct {
		file, script string
		good         bool
	}{
		{"block_test.go", "func TestCheckQuote(t *testing.T) {", true},
		{"block_test.go", "func Test" + "Nothing", false},
		{"missing.go", "", false},
	} {
		err := block{file: test.file, script: test.script}.checkQuote(".")
		if (err == nil) != test.good {
			t.Errorf("%s, %q: %v", test.file, test.script, err)
		}
	}
}

func TestFirstMissing(t *testing.T) {
	const id, other = "part_o24mq8stmm", "part_xyz78901"
	for _, test := range []struct {
		name, output, want, missing string
	}{
		{"nothing expected", "anything", "", ""},
		{"the same", "ok", "ok", ""},
		{"another word", "failed", "ok", "ok"},
		{"other ids", `{"id":"` + id + `"}`, `{"id":"` + other + `"}`, ""},
		{"other times", "2026-11-25T14:04:50.25Z", "2024-01-01T00:00:00Z", ""},
		{"other numbers", "took 12ms 3.5s 1", "took 12ms 7s 88", ""},
		{"elided", "a and more b", "a…b", ""},
		{"elided, wrong order", "b a", "a…b", "b"},
		{"shortened at its end", `{"a":1,"b":2}`, `{"a":1,…`, ""},
		{"lines in order", "one\ntwo\nthree", "one\nthree", ""},
		{"lines out of order", "three\none", "one\nthree", "three"},
	} {
		if got := firstMissing(test.output, test.want); got != test.missing {
			t.Errorf("%s: missing %q, want %q", test.name, got, test.missing)
		}
	}
}
