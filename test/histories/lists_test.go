package histories_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/roster"
)

// lists records the upstream's answers to polls and writes. With them, the changes that
// watchers receive are checked against W6 and W7 without the engine's own state.
type lists struct {
	mu   sync.Mutex
	open *listRead
	read []*listRead
	// failing is true if the last poll failed on its first page.
	failing bool
	// added and removed are the last successful writes of each id.
	added, removed map[string]writeDone
	// lost are the ids of removes without a successful answer.
	lost map[string]bool
	// reported maps each entry to the number of the list that caused it.
	reported map[reported]int
	// removing are the running calls to remove an id.
	removing map[string]removing
	// lostControls are the participants whose last control got no answer.
	lostControls map[string]bool
}

// reported names an entry. Lists may end at the same time.
type reported struct {
	seq      uint64
	notAfter time.Time
}

// removing is the number of running calls, and when the first of them began.
type removing struct {
	calls int
	since time.Time
}

func newLists() *lists {
	return &lists{added: map[string]writeDone{}, removed: map[string]writeDone{}, lost: map[string]bool{}, removing: map[string]removing{}, reported: map[reported]int{}, lostControls: map[string]bool{}}
}

// writeDone is a write, and the epoch of the log at that time; zero if there was no log.
type writeDone struct {
	sent, at time.Time
	epoch    feed.Epoch
}

// before reports whether a write was done before a list of the same log was read.
func (d writeDone) before(epoch feed.Epoch, list *listRead) bool {
	return d.epoch == epoch && d.at.Before(list.ended)
}

// listRead is one list: all pages that were read.
type listRead struct {
	began, ended time.Time
	pages        int
	statuses     map[string]string
	muted        map[string]string
	total        *int
	next         string
	broken       bool
	// placeholder is true for a list without an array (W7), and lies if the conference was
	// not empty.
	placeholder, lies bool
}

// listBody is a page, bare or in an envelope.
type listBody struct {
	Status       string          `json:"status"`
	Data         *listBody       `json:"data"`
	Participants json.RawMessage `json:"participants"`
	Total        *int            `json:"total"`
	NextStartKey string          `json:"next_start_key"`
}

// items returns the page's participants; ok is false if it has no array.
func (b listBody) items() (items []json.RawMessage, ok bool) {
	return items, bytes.HasPrefix(b.Participants, []byte("[")) && json.Unmarshal(b.Participants, &items) == nil
}

// note records one response of the upstream.
func (l *lists) note(w *harness, r *http.Request, began time.Time, response *http.Response, err error) {
	if !strings.Contains(r.URL.Path, "/"+conference+"/") {
		return
	}
	done := writeDone{sent: began, at: time.Now()}
	if state := w.gateway.state(); known(state) {
		done.epoch = state.Position.Epoch
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	success := err == nil && response.StatusCode/100 == 2
	l.noteControl(w, r, success, err != nil)
	switch {
	case r.Method == http.MethodDelete:
		l.noteRemove(r, done, success)
	case !success:
		l.open = l.broke(r)
	default:
		body, err := io.ReadAll(response.Body)
		sent := body
		if err == nil && r.Method == http.MethodGet {
			body = w.distort(body)
		}
		if distorted := w.controls.distort(r, body); !bytes.Equal(distorted, body) {
			body = distorted
			w.seen.add(controlDistorted)
		}
		response.ContentLength = int64(len(body))
		response.Header.Del("Content-Length")
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), unreadable{err}))
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/participants") {
			l.noteAdd(body, done)
		} else if isPoll(r) {
			l.notePage(r, began, sent, body, err)
		}
	}
}

// unreadable is the end of a body: EOF, or the error that ended it.
type unreadable struct{ err error }

func (u unreadable) Read([]byte) (int, error) { return 0, cmp.Or(u.err, io.EOF) }

// isPoll reports whether a feed sent the request. Lists that reconcile an add have the caller's
// request id.
func isPoll(r *http.Request) bool {
	id := r.Header.Get("X-Request-Id")
	return r.Method == http.MethodGet && !strings.HasPrefix(id, "+") && id != batchCaller
}

func (l *lists) noteRemove(r *http.Request, done writeDone, success bool) {
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if !success {
		l.lost[id] = true
		return
	}
	done.sent = l.removing[id].since
	l.removed[id] = done
}

// call records that a call to remove an id begins (+1) or ends (-1).
func (l *lists) call(id string, more int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.removing[id]
	if r.calls == 0 {
		r.since = time.Now()
	}
	r.calls += more
	l.removing[id] = r
}

func (l *lists) noteAdd(body []byte, done writeDone) {
	var added struct {
		ID   string `json:"id"`
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &added) == nil {
		l.added[added.ID+added.Data.ID] = done
	}
}

// broke records that a page of a poll could not be read.
func (l *lists) broke(r *http.Request) *listRead {
	l.failing = l.failing || isPoll(r)
	if !isPoll(r) || l.open == nil {
		return l.open
	}
	if r.URL.Query().Has("start_key") {
		l.open.broken, l.open.ended = true, time.Now()
		l.read = append(l.read, l.open)
	}
	return nil
}

// notePage records a page of a poll. sent is the body before distort, body the one after.
func (l *lists) notePage(r *http.Request, began time.Time, sent, body []byte, err error) {
	var page listBody
	if err != nil || json.Unmarshal(body, &page) != nil || page.Status == "error" {
		l.open = l.broke(r)
		return
	}
	if page.Data != nil {
		next := page.NextStartKey
		page = *page.Data
		page.NextStartKey = cmp.Or(page.NextStartKey, next)
	}
	if !r.URL.Query().Has("start_key") {
		l.open = &listRead{began: began, statuses: map[string]string{}, muted: map[string]string{}}
	}
	if l.open == nil {
		return
	}
	if _, ok := page.items(); !ok && (l.open.pages > 0 || page.Total != nil && *page.Total > 0) {
		l.open = l.broke(r) // Neither an array nor an empty list.
		return
	}
	l.open.add(page)
	nobody := bytes.Contains(sent, []byte(`"participants":[]`)) && bytes.Contains(sent, []byte(`"total":0`))
	l.open.lies = l.open.placeholder && !nobody
	if page.NextStartKey == "" {
		l.open.ended = time.Now()
		l.read = append(l.read, l.open)
		l.open, l.failing = nil, false
	}
}

func (l *listRead) add(page listBody) {
	l.pages++
	l.next = page.NextStartKey
	if page.Total != nil && (l.total == nil || *page.Total < *l.total) {
		l.total = page.Total
	}
	items, ok := page.items()
	l.placeholder = !ok
	for _, raw := range items {
		var item struct {
			ID, Status string
			Muted      json.RawMessage
		}
		if json.Unmarshal(raw, &item) == nil {
			l.statuses[item.ID], l.muted[item.ID] = item.Status, mutedOf(item.Muted)
		}
	}
}

func (l *listRead) shows(id string) bool {
	_, shown := l.statuses[id]
	return shown
}

// surplus returns by how much the upstream's total is larger than its list.
func (l *listRead) surplus() int {
	if l.total == nil {
		return 0
	}
	return *l.total - len(l.statuses)
}

// appended records the last list as the cause of an entry. A write may be the real cause.
func (l *lists) appended(entry feed.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reported[reported{entry.Seq, entry.NotAfter}] = len(l.read) - 1
}

// listOf returns the list that caused an entry, and the lists before it. It returns nil if no
// list is known.
func (l *lists) listOf(entry feed.Entry) (*listRead, []*listRead) {
	i, known := l.reported[reported{entry.Seq, entry.NotAfter}]
	if !known || i < 0 || !l.read[i].ended.Equal(entry.NotAfter) {
		return nil, nil
	}
	return l.read[i], l.read[:i]
}

// checkEntry checks the changes that a list caused against W6 and W7.
func (l *lists) checkEntry(w *harness, epoch feed.Epoch, entry feed.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, change := range entry.Changes {
		if change.ByWrite {
			continue
		}
		list, before := l.listOf(entry)
		if list == nil {
			return fmt.Errorf("%s without a list: %s", describe(change), bounds(entry))
		}
		if err := l.checkChange(w, epoch, change, list, before); err != nil {
			return fmt.Errorf("%s by a list begun at %s: %w", describe(change), list.began.Format(clock), err)
		}
	}
	return nil
}

func (l *lists) checkChange(w *harness, epoch feed.Epoch, change roster.Change, list *listRead, before []*listRead) error {
	switch {
	case change.After == nil:
		return errors.Join(l.checkProof(w, change.Before.ID, list, before), l.checkAddWindow(epoch, change.Before.ID, list, before))
	case !list.shows(change.After.ID):
		return errors.New("W7: the list does not contain the participant")
	case change.Before == nil:
		return l.checkRemoveWindow(epoch, change.After.ID, list, before)
	default:
		return nil
	}
}

// checkProof fails if a list does not prove that a participant left (W7).
func (l *lists) checkProof(w *harness, id string, list *listRead, before []*listRead) error {
	switch {
	case list.shows(id):
		return errors.New("W7: the list contains the participant")
	case list.broken:
		return errors.New("W7: a page of the list could not be read")
	case list.surplus() > 0 && !steadySurplus(list.surplus(), append(slices.Clone(before), list)):
		return fmt.Errorf("W7: the list has %d of %d", len(list.statuses), *list.total)
	}
	missed, placeholder := 0, time.Time{}
	for _, other := range slices.Backward(before) {
		if other.shows(id) {
			break
		}
		if !other.broken && !other.placeholder && (other.surplus() <= 0 || w.history.Surplus > 0) {
			missed++
		}
		if other.placeholder {
			placeholder = other.began
		}
	}
	switch {
	case list.placeholder && (placeholder.IsZero() || list.began.Sub(placeholder) < 2*time.Second):
		return errors.New("W7: one list without an array is no proof")
	case list.pages > 1 && missed == 0:
		return errors.New("W7: one list of several pages is no proof")
	case list.pages > 1:
		w.seen.add(provenTwice)
	}
	return nil
}

// steadySurplus reports whether the surplus was ever the same for long enough.
func steadySurplus(surplus int, lists []*listRead) bool {
	var row []*listRead
	for _, list := range lists {
		switch {
		case list.broken || list.placeholder:
			continue // Such a list does not show the surplus.
		case list.surplus() != surplus:
			row = nil
			continue
		}
		row = append(row, list)
		if len(row) >= 10 && list.began.Sub(row[0].began) >= time.Minute {
			return true
		}
	}
	return false
}

// checkAddWindow fails if an absence counts too soon after an Add (W6).
func (l *lists) checkAddWindow(epoch feed.Epoch, id string, list *listRead, before []*listRead) error {
	done, added := l.added[id]
	_, removed := l.removed[id]
	if !added || removed || l.lost[id] || !done.before(epoch, list) || !list.began.Before(done.at.Add(window)) {
		return nil
	}
	for _, other := range before {
		if other.shows(id) && !other.began.Before(done.at) && over(other.statuses[id]) {
			return nil
		}
	}
	return fmt.Errorf("W6: the Add was answered at %s", done.at.Format(clock))
}

// window is the lag window of W6.
const window = 5 * time.Second

// checkRemoveWindow fails if a presence counts too soon after a Remove (W6): within the
// window, or while the list only shows a call that has ended.
func (l *lists) checkRemoveWindow(epoch feed.Epoch, id string, list *listRead, before []*listRead) error {
	done, removed := l.removed[id]
	if !removed || !done.before(epoch, list) {
		return nil
	}
	missed := 0
	for _, other := range before {
		switch {
		case other.shows(id) && !over(other.statuses[id]) && !other.began.Before(done.at.Add(window)):
			return nil // The participant was really there, and has joined before.
		case !other.shows(id) && !other.ended.Before(done.sent) && other.began.Before(done.at):
			return nil // A list may have removed it before the Remove was answered.
		case !other.shows(id) && !other.began.Before(done.at):
			missed++
		}
	}
	switch {
	case list.began.Before(done.at.Add(window)):
		return fmt.Errorf("W6: the Remove was answered at %s", done.at.Format(clock))
	case over(list.statuses[id]) && missed < 2:
		return errors.New("W6: its end confirms the Remove")
	default:
		return nil
	}
}

// count counts participants that the gateway's roster has but the last list does not.
func (l *lists) count(w *harness, state *feed.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.read) == 0 || !known(state) {
		return
	}
	list := l.read[len(l.read)-1]
	if !list.began.Equal(state.LastSuccess) || list.placeholder {
		return
	}
	for _, p := range state.People.Copy() {
		done, added := l.added[p.ID]
		switch {
		case list.shows(p.ID):
		case added && list.began.Before(done.at.Add(window)):
			w.seen.add(heldAbsence)
		case list.pages > 1:
			w.seen.add(provenOnce)
		}
	}
}
