package main

import (
	"strings"
	"testing"
	"time"
)

// costs returns results with costs in microseconds.
func costs(values ...int) []figures {
	results := make([]figures, len(values))
	for i, value := range values {
		results[i].cost = time.Duration(value) * time.Microsecond
	}
	return results
}

func TestTable(t *testing.T) {
	memory := costs(10, 12, 11)
	for i := range memory {
		memory[i].memory, memory[i].size, memory[i].rate = 2048, 300, 20
	}
	var text strings.Builder
	err := printTable(&text, []*scenario{
		{name: "stream", contenders: []*contender{
			{name: "SSE", results: memory},
			// The ratios of the rounds are 2, 0.5 and 1.1; that of the medians is 1.1.
			{name: "plain", comparison: ratio, results: costs(5, 24, 10)},
		}},
		{name: "poll", contenders: []*contender{
			{name: "large", results: costs(3000, 3100)},
			{name: "small", comparison: difference, results: costs(500, 700)},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| stream | SSE | 11.0 µs | 10.0 µs to 12.0 µs | 2.0 KB | 300 | 20 |  |\n",
		"| stream | plain | 10.0 µs | 5.0 µs to 24.0 µs |  |  |  | 1.10 (SSE) |\n",
		"| poll | large | 3.05 ms | 3.00 ms to 3.10 ms |  |  |  |  |\n",
		"| poll | small | 600.0 µs | 500.0 µs to 700.0 µs |  |  |  | +2.45 ms (large) |\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &text)
		}
	}
}
