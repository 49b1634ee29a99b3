package main

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	for _, test := range []struct {
		name                    string
		events                  []string
		passed, failed, skipped int
		printed                 string
	}{
		{
			name: "a passed test prints nothing but its package's verdict",
			events: []string{
				`{"Action":"start","Package":"a"}`,
				`{"Action":"run","Package":"a","Test":"TestA"}`,
				`{"Action":"output","Package":"a","Test":"TestA","Output":"chatter\n"}`,
				`{"Action":"pass","Package":"a","Test":"TestA","Elapsed":0.1}`,
				`{"Action":"output","Package":"a","Output":"PASS\n"}`,
				`{"Action":"output","Package":"a","Output":"ok  \ta\t0.1s\n"}`,
				`{"Action":"pass","Package":"a"}`,
			},
			passed: 1, printed: "ok  \ta\t0.1s\n",
		},
		{
			name: "a failed test prints itself",
			events: []string{
				`{"Action":"output","Package":"a","Test":"TestA","Output":"want 2\n"}`,
				`{"Action":"fail","Package":"a","Test":"TestA"}`,
				`{"Action":"output","Package":"a","Output":"FAIL\ta\t0.1s\n"}`,
				`{"Action":"fail","Package":"a"}`,
			},
			failed: 1, printed: "want 2\nFAIL\ta\t0.1s\n",
		},
		{
			name: "a skipped test says why",
			events: []string{
				`{"Action":"output","Package":"a","Test":"TestA","Output":"no Redis\n"}`,
				`{"Action":"skip","Package":"a","Test":"TestA"}`,
				`{"Action":"output","Package":"a","Output":"ok  \ta\t0.1s\n"}`,
				`{"Action":"pass","Package":"a"}`,
			},
			skipped: 1, printed: "no Redis\nok  \ta\t0.1s\n",
		},
		{
			name: "a panic is a failure, and is printed",
			events: []string{
				`{"Action":"output","Package":"a","Test":"TestA","Output":"panic: oh\n"}`,
				`{"Action":"output","Package":"a","Output":"FAIL\ta\t0.1s\n"}`,
				`{"Action":"fail","Package":"a"}`,
			},
			failed: 1, printed: "panic: oh\nFAIL\ta\t0.1s\n",
		},
		{
			name: "what does not build is a failure, and is printed",
			events: []string{
				`{"ImportPath":"a","Action":"build-output","Output":"a.go:1: undefined: x\n"}`,
				`{"ImportPath":"a","Action":"build-fail"}`,
				`{"Action":"output","Package":"a","Output":"FAIL\ta [build failed]\n"}`,
				`{"Action":"fail","Package":"a","FailedBuild":"a"}`,
			},
			failed: 1, printed: "a.go:1: undefined: x\nFAIL\ta [build failed]\n",
		},
		{
			name: "a package without tests is passed over",
			events: []string{
				`{"Action":"output","Package":"a","Output":"?   \ta\t[no test files]\n"}`,
				`{"Action":"skip","Package":"a"}`,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var printed strings.Builder
			sum := newSummary(&printed)
			if err := read(strings.NewReader(strings.Join(test.events, "\n")), sum); err != nil {
				t.Fatal(err)
			}
			if sum.passed != test.passed || sum.failed != test.failed || sum.skipped != test.skipped {
				t.Errorf("%d passed, %d failed, %d skipped", sum.passed, sum.failed, sum.skipped)
			}
			if printed.String() != test.printed {
				t.Errorf("printed %q, want %q", printed.String(), test.printed)
			}
		})
	}
}

func TestWhatIsNoEvent(t *testing.T) {
	if err := read(strings.NewReader("not JSON"), newSummary(&strings.Builder{})); err == nil {
		t.Error("no error")
	}
}
