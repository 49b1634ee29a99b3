package audian

import (
	"context"

	"github.com/audian/participant-gateway/internal/participant"
)

// maxKeptBytes bounds the bodies that a Lister keeps: a list of 1,000 participants has a quarter
// of it.
const maxKeptBytes = 1 << 20

// Lister reads the lists of one conference, one after another. It keeps the last one, to decode
// the next one faster. Its methods must not be called at the same time.
type Lister struct {
	client     *Client
	conference string
	last       []*lastPage
}

// NewLister returns a Lister that keeps no list yet.
func (c *Client) NewLister(conference string) *Lister {
	return &Lister{client: c, conference: conference}
}

// List is Client.List. The items of the list must not be changed, and the next List overwrites
// them.
func (l *Lister) List(ctx context.Context, pacing Pacing) (participant.List, error) {
	pages := newPager(l.conference, l.last)
	list, err := l.client.list(ctx, pages, pacing)
	if err == nil {
		l.last = pages.read
	}
	return list, err
}
