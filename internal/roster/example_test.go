package roster_test

import (
	"fmt"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// A list that differs from the roster becomes a batch of changes.
func Example() {
	item := func(id string, status participant.Status) participant.Item {
		return participant.Item{Participant: participant.Participant{ID: id, Status: status}, Fields: participant.FieldStatus}
	}
	var clock roster.LogicalTime
	r := roster.New("conf_1")
	list := func(items ...participant.Item) roster.Batch {
		clock += 2
		batch := r.PlanPoll(roster.Poll{
			List:  participant.List{Items: items, Pages: 1, Read: len(items)},
			Began: clock - 1, Applied: clock,
		})
		r.Apply(batch)
		return batch
	}

	list(item("ada", participant.StatusDialing), item("bob", participant.StatusConnected))
	batch := list(item("ada", participant.StatusConnected), item("eve", participant.StatusDialing))
	for _, c := range batch.Changes {
		switch {
		case c.Before == nil:
			fmt.Println(c.After.ID, "joined:", c.After.Status)
		case c.After == nil:
			fmt.Println(c.Before.ID, "left")
		default:
			fmt.Printf("%s changed: %s to %s\n", c.After.ID, c.Before.Status, c.After.Status)
		}
	}
	fmt.Println(batch.Total, "present,", batch.Active, "active")

	// Output:
	// ada changed: dialing to connected
	// eve joined: dialing
	// bob left
	// 2 present, 1 active
}
