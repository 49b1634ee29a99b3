package main

import (
	"strings"
	"testing"
	"time"
)

// costs returns results with costs in microseconds, and a rate of 20.
func costs(values ...int) []figures {
	results := make([]figures, len(values))
	for i, value := range values {
		results[i].cost, results[i].rate = time.Duration(value)*time.Microsecond, 20
	}
	return results
}

func TestTable(t *testing.T) {
	memory, slow := costs(10, 12, 11), costs(22, 22, 22)
	for i := range memory {
		memory[i].memory, memory[i].size = 2048, 300
		slow[i].rate = 10
	}
	var text strings.Builder
	err := printTable(&text, []*scenario{
		{name: "stream", contenders: []*contender{
			{name: "SSE", results: memory},
			// The ratios of the rounds are 2, 0.5 and 1.1; that of the medians is 1.1.
			{name: "plain", comparison: ratio, results: costs(5, 24, 10)},
			{name: "slow", comparison: ratio, results: slow},
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
		"| stream | plain | 10.0 µs | 5.0 µs to 24.0 µs |  |  | 20 | 1.10 (SSE) |\n",
		"| stream | slow | 22.0 µs | 22.0 µs to 22.0 µs |  |  | 10 | ~0.50 (SSE) |\n",
		"| poll | large | 3.05 ms | 3.00 ms to 3.10 ms |  |  | 20 |  |\n",
		"| poll | small | 600.0 µs | 500.0 µs to 700.0 µs |  |  | 20 | +2.45 ms (large) |\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &text)
		}
	}
}

func TestGroupsOfFunctions(t *testing.T) {
	for want, stack := range map[string][]string{
		"system calls: write":                    {"internal/runtime/syscall.Syscall6", "syscall.write", "net.(*conn).Write", "main.serve"},
		"memory: allocation, collection, stacks": {"runtime.memclrNoHeapPointers", "runtime.mallocgc", "main.serve"},
		"waiting and waking up: epoll, futex":    {"internal/runtime/syscall.Syscall6", "runtime.netpoll", "runtime.findRunnable", "runtime.mcall"},
		"scheduler":                              {"runtime.runqgrab", "runtime.findRunnable", "runtime.mcall"},
		"packages of JSON":                       {"runtime.memmove", "encoding/json.Marshal", "main.serve"},
		"the server's own code":                  {"strings.Index", "main.serve", "net/http.HandlerFunc.ServeHTTP"},
		"other code":                             {"runtime.memmove", "sort.Sort"},
	} {
		if got := group(stack); got != want {
			t.Errorf("%v: got %q, want %q", stack, got, want)
		}
	}
}
