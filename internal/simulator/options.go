package simulator

import (
	"cmp"
	"log/slog"
	"time"
)

// Options configure the API that is simulated. The zero value is the documented API:
// bodies without envelope, one page, any token accepted, every conference exists.
type Options struct {
	// Seed determines timelines, ids, and which requests a fault with a probability
	// affects.
	Seed uint64
	// TimeScale speeds up the timelines of participants; 0 or less means 1. It does not
	// affect the durations below.
	TimeScale float64
	// Behaviour is how added participants behave; empty means Human.
	Behaviour Behaviour
	// Demo creates DemoConference, where participants join and leave without end. Of the
	// others only Conferences exist, and those that an add created.
	Demo bool

	// Tokens are accepted. Each has a separate account.
	Tokens []string
	// APIKeys are exchanged at PUT /v2/api_auth for tokens that are valid for TokenTTL
	// (0 means an hour). Without Tokens and APIKeys every token is accepted.
	APIKeys  []string
	TokenTTL time.Duration

	// Conferences exist from the start. Any other is created by the first request for
	// it, or answered 404 with KnownOnly.
	Conferences []string
	KnownOnly   bool
	// MaxParticipants limits the calls of a conference; 0 means 100, and more than 1,000
	// means 1,000.
	MaxParticipants int

	// Envelope wraps responses in an envelope. ListAsData then makes the array the data
	// of a list, without total and active.
	Envelope   bool
	ListAsData bool
	// PageSize splits lists into pages; 0 means one page. NewestFirst reverses the order.
	PageSize    int
	NewestFirst bool
	// ListLag is how long lists do not show the effect of an add, a remove or a control.
	ListLag time.Duration
	// LingerDisconnected is how long a disconnected or rejected participant stays
	// listed; 0 means not at all.
	LingerDisconnected time.Duration
	// RemoveTwice answers the removal of an absent participant with 204 instead of 404.
	RemoveTwice bool

	// AddsPerSecond is the limit of each account; 0 means 10, less means no limit.
	AddsPerSecond int
	// RequestTokens is the size of each account's token bucket, of which every request
	// takes one; 10 are added each second. 0 means no limit.
	RequestTokens int

	// Faults are active from the start, and again after a Reset.
	Faults []Fault
	// NoAdminAPI removes /_simulator/ from the handler.
	NoAdminAPI bool
	// Logger logs every request at debug level; nil discards.
	Logger *slog.Logger
}

// DemoConference is the conference that Options.Demo creates.
const DemoConference = "conf_demo"

// requestRefill is the number of request tokens that an account gets each second.
const requestRefill = 10

// hardCap is the API's limit of MaxParticipants.
const hardCap = 1000

// withDefaults returns the options with each zero replaced by its default.
func (o Options) withDefaults() Options {
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	o.Behaviour = cmp.Or(o.Behaviour, Human)
	o.TokenTTL = cmp.Or(o.TokenTTL, time.Hour)
	o.MaxParticipants = min(cmp.Or(o.MaxParticipants, 100), hardCap)
	o.AddsPerSecond = cmp.Or(o.AddsPerSecond, 10)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
