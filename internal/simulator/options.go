package simulator

import (
	"cmp"
	"log/slog"
	"time"
)

// Options say which vendor is played. The zero value plays the one of the
// documentation: bare bodies, one page, any token, every conference there.
type Options struct {
	// Seed decides how people behave, whose ids are drawn, and when a fault with a
	// probability strikes.
	Seed uint64
	// TimeScale is how many times faster than people the people are; 0 or less means 1. It
	// does not touch the durations below.
	TimeScale float64
	// Behaviour is how people who are added behave; empty means Human.
	Behaviour Behaviour
	// Demo opens DemoConference, where people come and go for ever. Beside it only
	// Conferences exist, and those that somebody was added to.
	Demo bool

	// Tokens are accepted as they are. Each is an account of its own.
	Tokens []string
	// APIKeys are exchanged at PUT /v2/api_auth for tokens that live for TokenTTL (0
	// means an hour). With neither Tokens nor APIKeys everything that is not empty
	// is accepted.
	APIKeys  []string
	TokenTTL time.Duration
	// KeysAsTokens accepts an API key in place of a token, as one vendor page shows.
	KeysAsTokens bool

	// Conferences are those that exist from the start. Any other is created at its
	// first touch, or answered 404 with KnownOnly.
	Conferences []string
	KnownOnly   bool
	// MaxParticipants is how many calls a conference holds; 0 means 100, and more
	// than 1,000 means 1,000.
	MaxParticipants int

	// Envelope wraps answers as the vendor's other pages do. ListAsData then makes a
	// list's data the array itself, which leaves no room for total and active.
	Envelope   bool
	ListAsData bool
	// PageSize parts lists into pages; 0 means one page. NewestFirst turns the order,
	// and HonourPaginateFalse lets ?paginate=false have everything at once.
	PageSize            int
	NewestFirst         bool
	HonourPaginateFalse bool
	// ListLag is how long lists go on as if an add or a remove had not happened.
	ListLag time.Duration
	// LingerDisconnected is how long one who left or never came stays listed; 0
	// means not at all.
	LingerDisconnected time.Duration
	// RemoveTwice answers 204 and not 404 where nobody is left to remove.
	RemoveTwice bool

	// AddsPerSecond is an account's limit of adds; 0 means 10, less means none.
	AddsPerSecond int
	// RequestTokens is the size of an account's bucket of requests, refilled at
	// RequestRefill a second (0 means 10); 0 means that requests cost nothing.
	RequestTokens int
	RequestRefill float64

	// Faults are there from the start, and again after a Reset.
	Faults []Fault
	// NoManagement leaves /_simulator/ out of the handler.
	NoManagement bool
	// Logger hears of every request at debug level; nil means nobody does.
	Logger *slog.Logger
}

// DemoConference is the conference that Options.Demo fills.
const DemoConference = "conf_demo"

// hardCap is the vendor's limit, whatever a conference was created with.
const hardCap = 1000

// withDefaults returns the options with every 0 that means a number replaced by it.
func (o Options) withDefaults() Options {
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	o.Behaviour = cmp.Or(o.Behaviour, Human)
	o.TokenTTL = cmp.Or(o.TokenTTL, time.Hour)
	o.MaxParticipants = min(cmp.Or(o.MaxParticipants, 100), hardCap)
	o.AddsPerSecond = cmp.Or(o.AddsPerSecond, 10)
	o.RequestRefill = cmp.Or(o.RequestRefill, 10)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
