package simulator

import "time"

// Request is one request to the vendor, as its history keeps it: no header, no query
// and no body, so that no token can be in it.
type Request struct {
	ID         string    `json:"request_id"`
	Time       time.Time `json:"time"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Operation  Operation `json:"operation"`
	Conference string    `json:"conference_id,omitempty"`
	// Status is 0 where the connection was cut instead of an answer.
	Status int `json:"status"`
	// Fault is the kind of fault that struck.
	Fault FaultKind `json:"fault,omitempty"`
	// CallerID is the X-Request-ID that the request came with.
	CallerID string `json:"caller_request_id,omitempty"`
}

// historySize is how many requests the history keeps.
const historySize = 1000

// history is a ring of the last requests.
type history struct {
	ring []Request
	next int
}

func (h *history) add(r Request) {
	if len(h.ring) < historySize {
		h.ring = append(h.ring, r)
		return
	}
	h.ring[h.next] = r
	h.next = (h.next + 1) % historySize
}

// all is the history, oldest first.
func (h *history) all() []Request {
	requests := make([]Request, 0, len(h.ring))
	requests = append(requests, h.ring[h.next:]...)
	return append(requests, h.ring[:h.next]...)
}
