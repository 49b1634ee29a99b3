package roster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

func BenchmarkUnchangedList(b *testing.B) {
	items := make([]participant.Item, 1000)
	for i := range items {
		items[i] = with(person(fmt.Sprintf("part_%06d", i), connected), participant.FieldDuration, func(*participant.Participant) {})
	}
	r, began := roster.New("conf"), time.Unix(1000, 0)
	var clock roster.LogicalTime
	b.ReportAllocs()
	for b.Loop() {
		clock += 2
		began = began.Add(time.Second)
		for i := range items {
			items[i].Duration++
		}
		list := participant.List{Items: items, Pages: 1, Read: len(items), Began: began, Ended: began}
		r.Apply(r.PlanPoll(roster.Poll{List: list, Began: clock - 1, Applied: clock}))
	}
}
