package main

import (
	"fmt"
	"io"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// summary counts results and keeps what a test printed until it is known whether
// anybody needs to read it.
type summary struct {
	out                     io.Writer
	passed, failed, skipped int
	// printed is by package, then by test; the package itself is the test "".
	printed map[string]map[string]*strings.Builder
	// broken are the packages with a failed test.
	broken map[string]bool
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, printed: map[string]map[string]*strings.Builder{}, broken: map[string]bool{}}
}

func (s *summary) add(e event) {
	switch {
	case e.Action == "build-output":
		s.print(e.Output)
	case e.Action == "output":
		s.buffer(e).WriteString(e.Output)
	case e.Test == "":
		s.endPackage(e)
	default:
		s.endTest(e)
	}
}

func (s *summary) buffer(e event) *strings.Builder {
	tests := s.printed[e.Package]
	if tests == nil {
		tests = map[string]*strings.Builder{}
		s.printed[e.Package] = tests
	}
	if tests[e.Test] == nil {
		tests[e.Test] = &strings.Builder{}
	}
	return tests[e.Test]
}

func (s *summary) endTest(e event) {
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		s.broken[e.Package] = true
		s.print(s.buffer(e).String())
	case "skip":
		s.skipped++
		s.print(s.buffer(e).String())
	default:
		return
	}
	delete(s.printed[e.Package], e.Test)
}

func (s *summary) endPackage(e event) {
	switch e.Action {
	case "pass":
		s.print(verdict(s.buffer(e).String()))
	case "fail":
		s.endBroken(e)
	case "skip": // No tests in it.
	default:
		return
	}
	delete(s.printed, e.Package)
}

// endBroken prints the tests that never ended too: a panic is told by one of them.
func (s *summary) endBroken(e event) {
	if !s.broken[e.Package] {
		s.failed++ // It did not build, or ended before a test could fail.
	}
	own := s.buffer(e).String()
	for test, text := range s.printed[e.Package] {
		if test != "" {
			s.print(text.String())
		}
	}
	s.print(own)
}

// verdict is the line that says `ok`, without the lines before it.
func verdict(text string) string {
	if at := strings.LastIndex(text, "ok  \t"); at >= 0 {
		return text[at:]
	}
	return text
}

func (s *summary) print(text string) { _, _ = fmt.Fprint(s.out, text) }
