// Package audian is a client of the upstream, Audian's conference REST API, for one
// credential.
//
// Each call is sent once, and once more only if the upstream refused a token that can be
// renewed. The callers are responsible for retries, pacing and budgets. Every error contains an
// [apierror.Error]; none contains a token.
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

// Options configure a Client.
type Options struct {
	// BaseURL is the upstream's, with its path.
	BaseURL    *url.URL
	Credential Credential
	// Header is the header that carries the token.
	Header AuthHeader
	// Transport sends the requests. Clients share one, and so its connections.
	Transport http.RoundTripper
	// OnResult is called with the result of each request and the context of its span, from many
	// goroutines. It must not block, and may be nil.
	OnResult func(context.Context, Result)
	// Tokens shares the token of an API key with other processes; it may be nil.
	Tokens SharedTokens
	// Logger may be nil.
	Logger *slog.Logger
}

// SharedTokens shares the token for which an API key was exchanged.
type SharedTokens interface {
	// Token returns a token other than the refused one: that of another process, or else the
	// result of exchange.
	Token(ctx context.Context, refused string, exchange func(context.Context) (string, error)) (string, error)
}

// AuthHeader is one of the two headers that the vendor documents for a token.
type AuthHeader uint8

// The headers for a token.
const (
	// XAuthToken sends `X-Auth-Token: TOKEN`.
	XAuthToken AuthHeader = iota
	// Bearer sends `Authorization: Bearer TOKEN`.
	Bearer
)

// Operation is the purpose of a request.
type Operation string

// The operations. That of a control is its name: "mute", "unmute", "hold", "resume" or
// "disconnect".
const (
	Add      Operation = "add"
	Remove   Operation = "remove"
	List     Operation = "list"
	MuteAll  Operation = "mute_all"
	Exchange Operation = "exchange"
)

// Result is the result of one request.
type Result struct {
	Operation Operation
	// Status is the response's, or 0 if there was none.
	Status  int
	Elapsed time.Duration
	// Err is nil if the request succeeded.
	Err *apierror.Error
	// Remaining is the number of request tokens that the account has left; nil if the
	// response does not contain it.
	Remaining *int
}

// Pacing bounds the requests of one call. The zero Pacing sets no bounds.
type Pacing struct {
	// Next is called before each request of the call but the first: for a further page, or
	// for the same request with a renewed token.
	Next func(context.Context) error
	// Timeout bounds each request; 0 means that only ctx does.
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
	// reportedFields are the fields whose unexpected type was logged.
	reportedFields sync.Map
}

// New returns a client. It fails if the options allow no valid request.
func New(options Options) (*Client, error) {
	if !headerSafe(options.Credential.Reveal()) {
		return nil, errors.New("the credential contains characters that are not allowed in a header")
	}
	if u := options.BaseURL; u == nil || u.Host == "" || u.User != nil {
		return nil, errors.New("the base URL must have a host and no credential")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{options: options}
	if options.Credential.kind == exchangedKey {
		c.tokens = &tokenCache{exchange: c.sharedExchange}
	}
	return c, nil
}

// wireAdd is the body of an add. Fields that the caller did not set are omitted.
type wireAdd struct {
	PhoneNumber   string           `json:"phone_number"`
	Name          string           `json:"name,omitzero"`
	Role          participant.Role `json:"role,omitzero"`
	Muted         bool             `json:"muted,omitzero"`
	SendPINViaSMS bool             `json:"send_pin_via_sms,omitzero"`
}

// Add makes the upstream dial a participant. The class of its error shows whether a phone may
// ring (A1).
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
	resp, err := c.call(ctx, request{
		operation: Add, method: http.MethodPost, path: conferencePath(conference, "participants"),
		body: body,
	}, pacing)
	if err != nil {
		return participant.Item{}, err
	}
	item, err := decodeParticipant(resp.envelope, resp.body, c.unexpectedField(conference))
	if err != nil {
		return participant.Item{}, resp.undecodable(err)
	}
	item.ConferenceID = conference
	return item, nil
}

// Remove removes a participant from a conference. A 2xx is a success unless its body contains an
// error, even if it cannot be read (A6).
func (c *Client) Remove(ctx context.Context, conference, id string, pacing Pacing) error {
	_, err := c.call(ctx, request{
		operation: Remove, method: http.MethodDelete, path: conferencePath(conference, "participants", id),
	}, pacing)
	if err != nil {
		return fmt.Errorf("remove participant: %w", err)
	}
	return nil
}

// List reads all pages of a conference's list once. If a page after the first cannot be read,
// the list contains the pages before it, and PageErr the error (W7). If ctx ends or pacing.Next
// fails, List fails.
func (c *Client) List(ctx context.Context, conference string, pacing Pacing) (participant.List, error) {
	pages := newPager(conference, nil)
	defer pages.release()
	return c.list(ctx, pages, pacing)
}

func (c *Client) list(ctx context.Context, pages *pager, pacing Pacing) (participant.List, error) {
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
	return pages.finish(err), nil
}

// page reads the list's next page.
func (c *Client) page(ctx context.Context, pages *pager, pacing Pacing) error {
	reader := pageReader{
		last: pages.lastPage(), room: pages.remainingItems(), unexpected: c.unexpectedField(pages.conference),
	}
	r := request{
		operation: List, method: http.MethodGet, path: conferencePath(pages.conference, "participants"),
		fast: reader.readPage, buffer: pages.buffer(),
	}
	if pages.next != "" {
		r.query = url.Values{"start_key": {pages.next}}
	}
	resp, err := c.call(ctx, r, pacing)
	if err != nil {
		return err
	}
	p, err := reader.decodePage(resp.envelope)
	if err == nil && (resp.status == http.StatusPartialContent || p.placeholder && pages.list.Pages > 0) {
		err = errors.New("the response is not a whole page")
	}
	if err == nil {
		err = pages.add(p, resp.body, r.buffer)
	}
	return resp.decodeError(err)
}

// unexpectedField returns a function that logs a field with an unexpected type, once for each
// field, because lists are read every second.
func (c *Client) unexpectedField(conference string) fieldReport {
	return func(field string) {
		if _, reported := c.reportedFields.LoadOrStore(field, true); reported {
			return
		}
		c.options.Logger.Warn("upstream field is missing or of an unexpected type",
			slog.String("field", field), slog.String("conference_id", conference))
	}
}
