// Package write is adds and removes as the upstream must see them: paced, once,
// and reconciled where an answer was lost.
//
// An add runs on a goroutine of its own, as an operation. Until its request leaves, the
// operation goes on only while a caller waits for it; once the request has left, it is
// the gateway's, and callers come and go without it (A6):
//
//	waiting ──▶ sent ──▶ answered: success, or a refusal
//	   ▲         │ │
//	   └─────────┘ └───▶ lost ──▶ found in a list, or outcome unknown (A1)
//	   never reached
//	   the upstream
//
// A remove is safe to send twice, so it simply runs on its caller's goroutine.
package write

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/budget"

	"github.com/audian/participant-gateway/internal/participant"
)

// defaultSendTimeout leaves room for the 60 seconds that the upstream may take to
// connect one participant.
const defaultSendTimeout = 75 * time.Second

// Options are what a Writer is made of.
type Options struct {
	// Recorder learns of every write.
	Recorder Recorder
	// Logger is never told phone numbers or names.
	Logger *slog.Logger
	// SendTimeout is how long an add that was sent may wait for its answer before
	// the answer counts as lost; 75 s where it is zero.
	SendTimeout time.Duration
	// DefaultRegion is the region in which national phone numbers are read when numbers
	// are compared (A1); empty where there is none.
	DefaultRegion string
}

// Writer sends adds and removes for every account of the gateway. It is safe for
// concurrent use; Close ends its goroutines.
type Writer struct {
	recorder    Recorder
	log         *slog.Logger
	sendTimeout time.Duration
	compare     comparison
	// removeBudget bounds how many removes are sent again at a time.
	removeBudget budget.Budget

	running sync.WaitGroup

	// mu guards what follows and the changing part of every operation. Under it only
	// Slot.SetDeadline is called.
	mu     sync.Mutex
	cache  idempotencyCache
	claims claims
	// operations are those whose goroutine runs, each with what ends it.
	operations map[*addOperation]context.CancelFunc
	closed     bool
}

// New returns a Writer.
func New(options Options) *Writer {
	if options.SendTimeout == 0 {
		options.SendTimeout = defaultSendTimeout
	}
	compare := comparison{defaultRegion: options.DefaultRegion}
	return &Writer{
		recorder:     options.Recorder,
		log:          options.Logger,
		sendTimeout:  options.SendTimeout,
		compare:      compare,
		removeBudget: budget.New(),
		cache:        newCache(),
		claims:       newClaims(compare),
		operations:   make(map[*addOperation]context.CancelFunc),
	}
}

// Call says where a write goes, and who asks for it.
type Call struct {
	Key      participant.Key
	Upstream Upstream
	// Caller tells callers apart: a request id means something to its caller alone.
	Caller string
	// RequestID makes an add safe to call again (A2); empty where there is none.
	RequestID string
}
