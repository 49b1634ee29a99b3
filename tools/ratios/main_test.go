package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, test := range []struct{ name, in, want, fails string }{
		{
			name: "the median of each way over the plain one's",
			in: `BenchmarkCall/plain-2  10  100 ns/op  1 B/op
BenchmarkCall/plain-2  10  900 ns/op
BenchmarkCall/plain-2  10  200 ns/op
BenchmarkCall/tls-2  10  400 ns/op
BenchmarkCall/keys+limits-2  10  200 ns/op
PASS
`,
			want: "ratio Call       plain / keys+limits = 1.00\nratio Call       plain / tls = 0.50\n",
		},
		{name: "nothing measured", in: "PASS\n", fails: "no benchmark in the input"},
		{name: "no plain way", in: "BenchmarkCall/tls-2  10  400 ns/op\n", fails: "Call: not measured both ways"},
		{name: "the plain way alone", in: "BenchmarkCall/plain-2  10  400 ns/op\n", fails: "Call: not measured both ways"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			err := run(strings.NewReader(test.in), &out)
			if (err == nil) != (test.fails == "") || err != nil && err.Error() != test.fails {
				t.Fatalf("got %v, want %q", err, test.fails)
			}
			if got := strings.TrimPrefix(out.String(), test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
