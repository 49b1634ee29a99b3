package simulator

import (
	"slices"
	"strings"
	"time"
)

// FaultKind is a kind of fault.
type FaultKind string

// The kinds of fault. Of the latencies that match a request the longest applies, and of
// the other kinds the first that was injected.
const (
	// FaultLatency delays the request by Latency before anything else. If the client
	// disconnects before that, nothing is done.
	FaultLatency FaultKind = "latency"
	// FaultLate performs the operation at once and delays the response by Latency.
	FaultLate FaultKind = "late"
	// FaultStatus responds with Status, a body in the format Body, and RetryAfter.
	FaultStatus FaultKind = "status"
	// FaultErrorEnvelope responds 200 with an envelope of an error; Status is the
	// number in it, 0 leaves it out.
	FaultErrorEnvelope FaultKind = "error_envelope"
	// FaultRedirect responds with Status (0 means 307) and Location.
	FaultRedirect FaultKind = "redirect"
	// FaultCut closes the connection and does nothing.
	FaultCut FaultKind = "cut"
	// FaultLost performs the operation and closes the connection without a response.
	FaultLost FaultKind = "lost"
	// FaultDetached closes the connection at once and performs the operation after
	// Latency.
	FaultDetached FaultKind = "detached"
	// FaultReset performs the operation and closes the connection in the middle of the
	// response.
	FaultReset FaultKind = "reset"
	// FaultGarbage performs the operation and responds with Raw, or with invalid JSON
	// if Raw is empty.
	FaultGarbage FaultKind = "garbage"
	// FaultPartial omits the last By items (0 means 1) of a list, or of each page; the
	// total still counts them.
	FaultPartial FaultKind = "partial"
	// FaultShift moves each page after the first by By items (0 means 1), as if that
	// many participants of earlier pages had left, or had joined if By is negative.
	FaultShift FaultKind = "shift"
	// FaultTotal adds By to a list's total (0 means 1).
	FaultTotal FaultKind = "total"
	// FaultNull replaces the empty array of a list by null.
	FaultNull FaultKind = "null"
	// FaultUnusualJSON rewrites the JSON of lists and of responses to an add without changing its
	// meaning: a byte order mark, duplicate keys, numbers and booleans as strings,
	// fractional durations, lower-case times, and a lone surrogate for each U+FFFD and in
	// the value of an unknown key.
	FaultUnusualJSON FaultKind = "unusual_json"
)

// BodyFormat is the format of an error's body.
type BodyFormat string

// The formats, as Audian's documentation shows them or as a proxy in front of the API
// sends them.
const (
	VendorBody  BodyFormat = "vendor"  // {"data":{"message":…},"error":"404",…,"status":"error"}
	ObjectBody  BodyFormat = "object"  // {"error":{"code":…,"message":…,"param":…,"type":…}}
	FailureBody BodyFormat = "failure" // {"success":false,…}
	HTMLBody    BodyFormat = "html"
	TextBody    BodyFormat = "text"
	EmptyBody   BodyFormat = "empty"
)

// Fault is a fault of the requests that match it.
type Fault struct { //nolint:recvcheck // Values are encoded, but decoding needs a pointer.
	// ID is set by Inject.
	ID   string    `json:"id,omitempty"`
	Kind FaultKind `json:"kind"`

	// Empty Method, Operation and Conference match all requests.
	Method     string    `json:"method,omitempty"`
	Operation  Operation `json:"operation,omitempty"`
	Conference string    `json:"conference_id,omitempty"`
	// LaterPages matches only the pages of a list after the first.
	LaterPages bool `json:"later_pages,omitempty"`
	// The first Skip matching requests are not affected, then Times requests are (0 means
	// no limit), each with Probability (0 means 1).
	Skip        int     `json:"skip,omitempty"`
	Times       int     `json:"times,omitempty"`
	Probability float64 `json:"probability,omitempty"`

	Latency    time.Duration `json:"-"`
	Status     int           `json:"status,omitempty"`
	Body       BodyFormat    `json:"body,omitempty"`
	Message    string        `json:"message,omitempty"`
	RetryAfter string        `json:"retry_after,omitempty"`
	Location   string        `json:"location,omitempty"`
	Raw        string        `json:"raw,omitempty"`
	By         int           `json:"by,omitempty"`
	// Handled performs the operation although the response is the fault's status,
	// error_envelope or redirect. So a control answers 204 without a body.
	Handled bool `json:"handled,omitempty"`
}

// matches reports whether the fault applies to the request.
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
	case f.Kind == FaultUnusualJSON:
		return c.operation == List || c.operation == Add
	default:
		return true
	}
}

// activeFault is an injected fault with its counters.
type activeFault struct {
	Fault

	matched, fired int
}

func (a *activeFault) exhausted() bool { return a.Times > 0 && a.fired >= a.Times }

// fire counts a matching request and reports whether the fault affects it.
func (a *activeFault) fire(random func() float64) bool {
	a.matched++
	if a.matched <= a.Skip || a.Probability > 0 && random() >= a.Probability {
		return false
	}
	a.fired++
	return true
}

// assignFaults sets the latency and the fault of a request, and drops exhausted faults.
func (st *state) assignFaults(c *call) {
	for _, a := range st.faults {
		// A request has one response, so a second fault stays active for another request.
		taken := c.fault.Kind != "" && a.Kind != FaultLatency
		if taken || !a.matches(c) || !a.fire(st.random.Float64) {
			continue
		}
		if a.Kind == FaultLatency {
			c.latency = max(c.latency, a.Latency)
		} else {
			c.fault = a.Fault
		}
	}
	st.faults = slices.DeleteFunc(st.faults, (*activeFault).exhausted)
}
