package simulator

import (
	"slices"
	"strings"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of fault. Of the latencies that match a request the longest holds, and of
// the others the first that was made.
const (
	// FaultLatency holds the request back for Latency before anything else. A caller
	// who goes away meanwhile was never heard.
	FaultLatency FaultKind = "latency"
	// FaultLate does what was asked at once and holds the answer back for Latency.
	FaultLate FaultKind = "late"
	// FaultStatus answers Status with a body of the shape Body, and Retry-After.
	FaultStatus FaultKind = "status"
	// FaultErrorEnvelope answers 200 with an envelope that says error; Status is the
	// code in it, 0 leaves it out.
	FaultErrorEnvelope FaultKind = "error_envelope"
	// FaultRedirect answers Status (0 means 307) with Location.
	FaultRedirect FaultKind = "redirect"
	// FaultCut cuts the connection before anything is done.
	FaultCut FaultKind = "cut"
	// FaultLost does what was asked and cuts the connection instead of answering.
	FaultLost FaultKind = "lost"
	// FaultDetached cuts the connection at once and does what was asked Latency later.
	FaultDetached FaultKind = "detached"
	// FaultReset does what was asked and cuts the connection amid the answer.
	FaultReset FaultKind = "reset"
	// FaultGarbage does what was asked and answers Raw, or else no JSON at all.
	FaultGarbage FaultKind = "garbage"
	// FaultPartial leaves the last By items (0 means 1) out of a list, or out of each
	// page, whose total counts them all the same.
	FaultPartial FaultKind = "partial"
	// FaultShift moves each page after the first by By items, as if so many on
	// earlier pages had left (0 means 1), or joined (less than 0), meanwhile.
	FaultShift FaultKind = "shift"
	// FaultTotal adds By to a list's total (0 means 1).
	FaultTotal FaultKind = "total"
	// FaultNull writes null for a list's array where nobody is listed.
	FaultNull FaultKind = "null"
	// FaultOdd says the same in odd JSON, in lists and answers to an add: a byte order
	// mark, keys given twice, numbers and booleans as strings, fractions of seconds,
	// lower-case times, and a lone surrogate for each U+FFFD and in an unknown key's text.
	FaultOdd FaultKind = "odd"
)

// BodyShape is the form of an error's body.
type BodyShape string

// The shapes, as seen on the vendor's pages or made by a proxy in front of it.
const (
	VendorBody  BodyShape = "vendor"  // {"data":{"message":…},"error":"404",…,"status":"error"}
	ObjectBody  BodyShape = "object"  // {"error":{"code":…,"message":…,"param":…,"type":…}}
	FailureBody BodyShape = "failure" // {"success":false,…}
	HTMLBody    BodyShape = "html"
	TextBody    BodyShape = "text"
	EmptyBody   BodyShape = "empty"
)

// Fault is something that goes wrong for the requests that match it.
type Fault struct { //nolint:recvcheck // Values are encoded, but decoding needs a pointer.
	// ID is drawn by Inject.
	ID   string    `json:"id,omitempty"`
	Kind FaultKind `json:"kind"`

	// Method, Operation and Conference match all where they are empty.
	Method     string    `json:"method,omitempty"`
	Operation  Operation `json:"operation,omitempty"`
	Conference string    `json:"conference_id,omitempty"`
	// LaterPages matches only the pages of a list after its first.
	LaterPages bool `json:"later_pages,omitempty"`
	// Skip lets that many matching requests pass first; Times is how many are struck
	// then, 0 means for ever. Probability strikes some of them; 0 means all.
	Skip        int     `json:"skip,omitempty"`
	Times       int     `json:"times,omitempty"`
	Probability float64 `json:"probability,omitempty"`

	Latency    time.Duration `json:"-"`
	Status     int           `json:"status,omitempty"`
	Body       BodyShape     `json:"body,omitempty"`
	Message    string        `json:"message,omitempty"`
	RetryAfter string        `json:"retry_after,omitempty"`
	Location   string        `json:"location,omitempty"`
	Raw        string        `json:"raw,omitempty"`
	By         int           `json:"by,omitempty"`
	// Handled does what was asked although a status, error_envelope or redirect
	// answers as if it had not been.
	Handled bool `json:"handled,omitempty"`
}

// matches says whether the fault is meant for the request.
func (f *Fault) matches(c *call) bool {
	switch {
	case f.Method != "" && !strings.EqualFold(f.Method, c.request.Method):
		return false
	case f.Operation != "" && f.Operation != Any && f.Operation != c.operation:
		return false
	case f.Conference != "" && f.Conference != c.conferenceID():
		return false
	case f.Kind == FaultShift || f.LaterPages:
		return c.operation == List && c.request.URL.Query().Has("start_key")
	case f.Kind == FaultPartial, f.Kind == FaultTotal, f.Kind == FaultNull:
		return c.operation == List
	case f.Kind == FaultOdd:
		return c.operation == List || c.operation == Add
	default:
		return true
	}
}

// armed is a fault that waits for its requests.
type armed struct {
	Fault

	seen, struck int
}

func (a *armed) spent() bool { return a.Times > 0 && a.struck >= a.Times }

// due counts a request that matches and says whether it is struck.
func (a *armed) due(chance func() float64) bool {
	a.seen++
	if a.seen <= a.Skip || a.Probability > 0 && chance() >= a.Probability {
		return false
	}
	a.struck++
	return true
}

// strike finds what befalls the request, and disarms what is used up.
func (w *world) strike(c *call) {
	for _, a := range w.faults {
		// A second answer cannot be given: the fault is saved for another request.
		taken := c.fault.Kind != "" && a.Kind != FaultLatency
		if taken || !a.matches(c) || !a.due(w.chance.Float64) {
			continue
		}
		if a.Kind == FaultLatency {
			c.latency = max(c.latency, a.Latency)
		} else {
			c.fault = a.Fault
		}
	}
	w.faults = slices.DeleteFunc(w.faults, (*armed).spent)
}
