package audian

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/bits"
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
	// last are the pages of the list before, and read those of this one, to decode the next list
	// by; nil for a page that is not kept.
	last, read []*lastPage
}

// remainingItems returns how many more items the list may have.
func (l *pager) remainingItems() int { return maxItems - len(l.list.Items) - l.withoutID }

func newPager(conference string, last []*lastPage) *pager {
	return &pager{
		conference: conference,
		last:       last,
		list:       participant.List{Began: time.Now()},
		keys:       map[string]bool{},
	}
}

// lastPage returns the page of the list before that is like the next page; nil if there is none.
func (l *pager) lastPage() *lastPage {
	if l.list.Pages < len(l.last) {
		return l.last[l.list.Pages]
	}
	return nil
}

// buffer returns a buffer for the body of the next page.
func (l *pager) buffer() *bytes.Buffer {
	if buffer, ok := bodies.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

// release lets later pages use the memory of the bodies. The list does not use it: its texts are
// copies.
func (l *pager) release() {
	for _, kept := range l.read {
		if kept != nil {
			bodies.Put(kept.body)
		}
	}
}

// add adds a page of a document, which is in the memory of body. It fails if there is a next page
// that must not or cannot be read.
func (l *pager) add(p page, document []byte, body *bytes.Buffer) error {
	l.list.Pages++
	l.withoutID += p.withoutID
	l.bytes += len(document)
	before := len(l.list.Items)
	l.addItems(p)
	var kept *lastPage
	if len(l.list.Items) == before+len(p.items) && l.bytes <= maxKeptBytes {
		kept = newLastPage(p, document, body)
	}
	l.read = append(l.read, kept)
	l.list.Total = smallest(l.list.Total, p.total)
	l.list.Active = smallest(l.list.Active, p.active)
	l.list.Placeholder = p.placeholder
	l.next = p.next
	if p.badKey != nil {
		return p.badKey
	}
	return l.checkBounds()
}

// addItems adds the items of a page.
func (l *pager) addItems(p page) {
	for i := range p.items {
		p.items[i].ConferenceID = l.conference
	}
	alone := l.list.Pages == 1 && p.next == ""
	if alone && (p.distinct || distinct(p.items)) {
		l.list.Items = p.items
		return
	}
	if l.at == nil {
		l.at = make(map[string]int, len(p.items))
	}
	if alone {
		// Reuse the page's memory: at most as many items are written as were read.
		l.list.Items = p.items[:0]
	}
	for _, item := range p.items {
		l.addItem(item)
	}
}

// distinct reports whether the ids of items are. Where many are, this takes a fraction of the time of
// a map, which can be left out then.
func distinct(items []participant.Item) bool {
	const load = 2
	// slots has a power of two slots. Each has the index of an item, plus 1, or 0.
	slots := make([]int32, 1<<bits.Len(uint(load*len(items))))
	seed := maphash.MakeSeed()
	for i := range items {
		at := maphash.String(seed, items[i].ID) & uint64(len(slots)-1)
		for ; slots[at] > 0; at = (at + 1) & uint64(len(slots)-1) {
			if items[slots[at]-1].ID == items[i].ID {
				return false
			}
		}
		slots[at] = int32(i + 1)
	}
	return true
}

// addItem adds an item. A later item with the same id replaces the earlier one.
func (l *pager) addItem(item participant.Item) {
	if i, met := l.at[item.ID]; met {
		l.list.Items[i] = item
		return
	}
	l.at[item.ID] = len(l.list.Items)
	l.list.Items = append(l.list.Items, item)
}

func (l *pager) checkBounds() error {
	switch {
	case l.next == "":
		return nil
	case l.bytes > maxBytes:
		return invalidPages("the upstream's list is larger than any conference")
	case l.keys[l.next]:
		return invalidPages("the upstream's pages lead in a circle")
	case l.list.Pages >= maxPages:
		return invalidPages(fmt.Sprintf("the upstream's list has more than %d pages", maxPages))
	}
	l.keys[l.next] = true
	return nil
}

func invalidPages(message string) *apierror.Error {
	return &apierror.Error{Reason: apierror.UpstreamIncomplete, Message: message}
}

// finish returns the list. unread is the error of the page that could not be read, or nil.
func (l *pager) finish(unread error) participant.List {
	l.list.Read = len(l.list.Items) + l.withoutID
	l.list.PageErr = unread
	l.list.Ended = time.Now()
	return l.list
}
