package audian

import (
	"fmt"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Bounds of one list. The upstream's own cap is 1,000 participants, so that each is
// far beyond what an honest list needs.
const (
	maxPages = 1_000
	maxItems = 10_000
	maxBytes = 64 << 20
)

// pager puts a list together from its pages.
type pager struct {
	conference string
	list       participant.List
	// at is where each id stands in the list's items.
	at map[string]int
	// keys are those of the pages read or to be read next.
	keys      map[string]bool
	withoutID int
	bytes     int
	// next is the key of the page to be read next, empty before the first and after
	// the last.
	next string
}

// room is how many more items the list may have.
func (l *pager) room() int { return maxItems - len(l.list.Items) - l.withoutID }

func newPager(conference string) *pager {
	return &pager{
		conference: conference,
		list:       participant.List{Began: time.Now()},
		keys:       map[string]bool{},
	}
}

// add adds a page of some bytes. It fails where no page can be read after it, although
// there is one.
func (l *pager) add(p page, size int) error {
	l.list.Pages++
	l.withoutID += p.withoutID
	l.bytes += size
	if l.list.Items == nil {
		// The first page's place will do for the list: no item is put behind the next.
		l.list.Items, l.at = p.items[:0], make(map[string]int, len(p.items))
	}
	for _, item := range p.items {
		l.put(item)
	}
	l.list.Total = smallest(l.list.Total, p.total)
	l.list.Active = smallest(l.list.Active, p.active)
	l.list.Placeholder = p.placeholder
	l.next = p.next
	if p.lost != nil {
		return p.lost
	}
	return l.bounded()
}

// put adds an item. An id counts once: the later item wins, in the earlier's place.
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

// end returns the list after the last page that was read; unread is why there is none
// after it, nil where it is the upstream's last.
func (l *pager) end(unread error) participant.List {
	l.list.Read = len(l.list.Items) + l.withoutID
	l.list.PageErr = unread
	l.list.Ended = time.Now()
	return l.list
}
