package simulator

import "time"

// Request is one request in the history. It has no headers, query or body, so that it
// cannot contain a token.
type Request struct {
	ID         string    `json:"request_id"`
	Time       time.Time `json:"time"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Operation  Operation `json:"operation"`
	Conference string    `json:"conference_id,omitempty"`
	// Status is 0 if the connection was closed without a response.
	Status int `json:"status"`
	// Fault is the kind of the fault that affected the request.
	Fault FaultKind `json:"fault,omitempty"`
	// CallerID is the X-Request-ID of the request.
	CallerID string `json:"caller_request_id,omitempty"`
}

// historySize is the number of requests that the history keeps.
const historySize = 1000

// history is a ring buffer of the last requests.
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

// all returns the requests, oldest first.
func (h *history) all() []Request {
	requests := make([]Request, 0, len(h.ring))
	requests = append(requests, h.ring[h.next:]...)
	return append(requests, h.ring[:h.next]...)
}
