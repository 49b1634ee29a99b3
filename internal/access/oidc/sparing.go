package oidc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// sparing is a transport that spares the issuer. A token with a made-up key id has the
// keys read again, so strangers could have the issuer overrun: beyond a few requests at
// once and one a second, the last answer is given again.
type sparing struct {
	next http.RoundTripper

	mu sync.Mutex
	// left is how many requests may be sent now, as of the time at.
	left float64
	at   time.Time
	// last are the bodies of the last good answers by URL, which are two.
	last map[string][]byte
}

const (
	// burst is how many requests may follow each other at once.
	burst = 5
	// perSecond is how many may in the long run.
	perSecond = 1
	// maxBody bounds an answer.
	maxBody = 1 << 20
)

func newSparing(next http.RoundTripper) *sparing {
	return &sparing{next: next, left: burst, at: time.Now(), last: map[string][]byte{}}
}

// RoundTrip gives good answers alone: any status but 200 is an error, without the body,
// which would find its way into the log.
func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	url := r.URL.String()
	if !s.take() {
		return s.again(r, url)
	}
	response, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // http.Client names the request.
	}
	if isRedirect(response) {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }() // It was only read.
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answered %d", response.StatusCode)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, response.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read the issuer's answer: %w", err)
	}
	s.mu.Lock()
	s.last[url] = body
	s.mu.Unlock()
	return answer(r, body), nil
}

func isRedirect(response *http.Response) bool {
	return response.StatusCode >= 300 && response.StatusCode < 400
}

// take says whether a request may be sent now.
func (s *sparing) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.left = min(burst, s.left+perSecond*now.Sub(s.at).Seconds())
	s.at = now
	if s.left < 1 {
		return false
	}
	s.left--
	return true
}

// again gives the last answer.
func (s *sparing) again(r *http.Request, url string) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, known := s.last[url]
	if !known {
		return nil, errors.New("the issuer did not answer, and was asked often enough")
	}
	return answer(r, body), nil
}

func answer(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}
