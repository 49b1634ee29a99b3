package audian

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkDecodePage decodes the longest list that the upstream has.
func BenchmarkDecodePage(b *testing.B) {
	items := make([]string, 1000)
	for n := range items {
		items[n] = strings.Replace(person, "part_1", fmt.Sprintf("part_%d", n), 1)
	}
	body := []byte(`{"participants":[` + strings.Join(items, ",") + `],"total":1000,"active":0}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		reader := pageReader{room: maxItems, unexpected: func(string) {}}
		_, e, ok := reader.readPage(body)
		if _, err := reader.decodePage(e); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
