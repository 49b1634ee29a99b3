// Package audian is the upstream, Audian's conference REST API, as Go calls for one
// credential.
//
// Each call is one logical one: it is sent once, and once more only where the upstream
// refused the token of an exchanged key. Retries, pacing and budgets are its callers'.
// Every error holds a [apierror.Error]; none holds a token.
package audian

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// Options say how the upstream is reached, and as whom.
type Options struct {
	// BaseURL is the upstream's, path included.
	BaseURL    *url.URL
	Credential Credential
	// Header is how the token is sent.
	Header AuthHeader
	// Transport carries the requests. Clients share one, so that connections are too.
	Transport http.RoundTripper
	// OnResult is told of each request and what came of it, from many goroutines. It must
	// not block, and may be nil.
	OnResult func(Result)
	// Logger may be nil.
	Logger *slog.Logger
}

// AuthHeader is one of the two ways in which the vendor's pages send a token.
type AuthHeader uint8

// The ways to send a token.
const (
	// XAuthToken sends `X-Auth-Token: TOKEN`.
	XAuthToken AuthHeader = iota
	// Bearer sends `Authorization: Bearer TOKEN`.
	Bearer
)

// Operation names what a request is for.
type Operation string

// The operations.
const (
	Add      Operation = "add"
	Remove   Operation = "remove"
	List     Operation = "list"
	Exchange Operation = "exchange"
)

// Result is one request, and what came of it.
type Result struct {
	Operation Operation
	// Status is the answer's, 0 where there was none.
	Status  int
	Elapsed time.Duration
	// Err is nil where the answer was a success.
	Err *apierror.Error
	// Remaining is what the answer says is left of the account's request tokens; nil
	// where it says nothing.
	Remaining *int
}

// Pacing is how one call may use the wire. The zero Pacing leaves it alone.
type Pacing struct {
	// Next is asked before each of the call's requests but the first: a further page,
	// or the same request with a renewed token.
	Next func(context.Context) error
	// Timeout is each request's own; 0 means none but the context's.
	Timeout time.Duration
}

func (p Pacing) next(ctx context.Context) error {
	if p.Next == nil {
		return nil
	}
	return p.Next(ctx)
}

// Client calls the upstream for one credential.
type Client struct {
	options Options
	// tokens is nil unless the credential is an API key.
	tokens *tokenCache
	// told are the fields whose wrong type was logged.
	reportedFields sync.Map
}

// New returns a client. It fails where no request could be made of the options.
func New(options Options) (*Client, error) {
	if !headerSafe(options.Credential.Reveal()) {
		return nil, errors.New("the credential holds characters that no header can carry")
	}
	if u := options.BaseURL; u == nil || u.Host == "" || u.User != nil {
		return nil, errors.New("the base URL needs a host and must not hold a credential")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{options: options}
	if options.Credential.kind == exchangedKey {
		c.tokens = &tokenCache{exchange: c.exchange}
	}
	return c, nil
}

// wireAdd is the body of an add. What the caller left out is left to the upstream.
type wireAdd struct {
	PhoneNumber   string           `json:"phone_number"`
	Name          string           `json:"name,omitzero"`
	Role          participant.Role `json:"role,omitzero"`
	Muted         bool             `json:"muted,omitzero"`
	SendPINViaSMS bool             `json:"send_pin_via_sms,omitzero"`
}

// Add has a participant dialled. Whether an add that failed may have made a phone ring
// (A1), its error shows by NotSent and UpstreamStatus.
func (c *Client) Add(ctx context.Context, conference string, add participant.Add, pacing Pacing) (participant.Item, error) {
	item, err := c.add(ctx, conference, add, pacing)
	if err != nil {
		return participant.Item{}, fmt.Errorf("add participant: %w", err)
	}
	return item, nil
}

func (c *Client) add(ctx context.Context, conference string, add participant.Add, pacing Pacing) (participant.Item, error) {
	body, err := encode(wireAdd(add))
	if err != nil {
		return participant.Item{}, err
	}
	a, err := c.call(ctx, request{
		operation: Add, method: http.MethodPost, path: []string{"conferences", conference, "participants"},
		body: body,
	}, pacing)
	if err != nil {
		return participant.Item{}, err
	}
	item, err := decodeAdded(a.envelope, a.body, c.unexpectedField(conference))
	if err != nil {
		return participant.Item{}, a.undecodable(err)
	}
	item.ConferenceID = conference
	return item, nil
}

// Remove takes a participant out of a conference. Any success whose body reports no error
// will do, one that cannot be read too (A6).
func (c *Client) Remove(ctx context.Context, conference, id string, pacing Pacing) error {
	_, err := c.call(ctx, request{
		operation: Remove, method: http.MethodDelete, path: []string{"conferences", conference, "participants", id},
	}, pacing)
	if err != nil {
		return fmt.Errorf("remove participant: %w", err)
	}
	return nil
}

// List reads a conference's roster once, all its pages. Where a page after the first
// cannot be read, the list holds those before it and says why in PageErr (W7); where ctx
// has ended, or pacing does not let it go on, there is none.
func (c *Client) List(ctx context.Context, conference string, pacing Pacing) (participant.List, error) {
	pages := newPager(conference)
	err := c.page(ctx, pages, pacing)
	for err == nil && pages.next != "" {
		if err := pacing.next(ctx); err != nil {
			return participant.List{}, fmt.Errorf("list participants: %w", err)
		}
		err = c.page(ctx, pages, pacing)
	}
	if err != nil {
		err = fmt.Errorf("list participants: %w", err)
	}
	if err != nil && (pages.list.Pages == 0 || ctx.Err() != nil) {
		return participant.List{}, err
	}
	return pages.end(err), nil
}

// page reads a list's next page.
func (c *Client) page(ctx context.Context, pages *pager, pacing Pacing) error {
	r := request{
		operation: List, method: http.MethodGet, path: []string{"conferences", pages.conference, "participants"},
	}
	if pages.next != "" {
		r.query = url.Values{"start_key": {pages.next}}
	}
	a, err := c.call(ctx, r, pacing)
	if err != nil {
		return err
	}
	p, err := decodePage(a.envelope, pages.room(), c.unexpectedField(pages.conference))
	if err == nil && (a.status == http.StatusPartialContent || p.placeholder && pages.list.Pages > 0) {
		err = errors.New("the answer is no whole page")
	}
	if err == nil {
		err = pages.add(p, len(a.body))
	}
	return a.decodeError(err)
}

// oddly logs, once a field, what the decoder took as missing: a list comes every
// second, and its oddities with it.
func (c *Client) unexpectedField(conference string) fieldReport {
	return func(field string) {
		if _, reported := c.reportedFields.LoadOrStore(field, true); reported {
			return
		}
		c.options.Logger.Warn("upstream field is missing or of an unexpected type",
			slog.String("field", field), slog.String("conference_id", conference))
	}
}
