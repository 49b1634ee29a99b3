package audian

import (
	"fmt"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Bounds of one list, far above the upstream's own limit of 1,000 participants.
const (
	maxPages = 1_000
	maxItems = 10_000
	maxBytes = 64 << 20
)

// pager builds a list from its pages.
type pager struct {
	conference string
	list       participant.List
	// at maps each id to its index in the list's items.
	at map[string]int
	// keys are those of the pages so far, and of the next page.
	keys      map[string]bool
	withoutID int
	bytes     int
	// next is the key of the next page, empty before the first page and after the last.
	next string
}

// room returns how many more items the list may have.
func (l *pager) room() int { return maxItems - len(l.list.Items) - l.withoutID }

func newPager(conference string) *pager {
	return &pager{
		conference: conference,
		list:       participant.List{Began: time.Now()},
		keys:       map[string]bool{},
	}
}

// add adds a page. It fails if there is a next page that must not or cannot be read.
func (l *pager) add(p page, size int) error {
	l.list.Pages++
	l.withoutID += p.withoutID
	l.bytes += size
	if l.list.Items == nil {
		// Reuse the memory of the first page: at most as many items are written as were read.
		l.list.Items, l.at = p.items[:0], make(map[string]int, len(p.items))
	}
	for _, item := range p.items {
		l.put(item)
	}
	l.list.Total = smallest(l.list.Total, p.total)
	l.list.Active = smallest(l.list.Active, p.active)
	l.list.Placeholder = p.placeholder
	l.next = p.next
	if p.badKey != nil {
		return p.badKey
	}
	return l.bounded()
}

// put adds an item. A later item with the same id replaces the earlier one.
func (l *pager) put(item participant.Item) {
	item.ConferenceID = l.conference
	if i, met := l.at[item.ID]; met {
		l.list.Items[i] = item
		return
	}
	l.at[item.ID] = len(l.list.Items)
	l.list.Items = append(l.list.Items, item)
}

func (l *pager) bounded() error {
	switch {
	case l.next == "":
		return nil
	case l.bytes > maxBytes:
		return endless("the upstream's list is larger than any conference")
	case l.keys[l.next]:
		return endless("the upstream's pages lead in a circle")
	case l.list.Pages >= maxPages:
		return endless(fmt.Sprintf("the upstream's list has more than %d pages", maxPages))
	}
	l.keys[l.next] = true
	return nil
}

func endless(message string) *apierror.Error {
	return &apierror.Error{Reason: apierror.UpstreamIncomplete, Message: message}
}

// end returns the list. unread is the error of the page that could not be read, or nil.
func (l *pager) end(unread error) participant.List {
	l.list.Read = len(l.list.Items) + l.withoutID
	l.list.PageErr = unread
	l.list.Ended = time.Now()
	return l.list
}
