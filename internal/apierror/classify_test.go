package apierror

import (
	"fmt"
	"testing"
)

// TestA01_WhatAnErrorOfAnAddProves classifies every 4xx in a documented body and in another.
func TestA01_WhatAnErrorOfAnAddProves(t *testing.T) {
	for status := 100; status < 600; status++ {
		for _, fromUpstream := range []bool{false, true} {
			e := &Error{Reason: UpstreamUnavailable, UpstreamStatus: status, FromUpstream: fromUpstream}
			want := Ambiguous
			switch {
			case status == 429:
				want = Throttled
			case status == 401 || status == 407 || fromUpstream && status >= 400 && status < 500 && status != 408:
				want = Refused
			}
			if got := Classify(e); got != want {
				t.Errorf("%d, from upstream %v: %d, want %d", status, fromUpstream, got, want)
			}
		}
	}
}

func TestA01_WhatAnErrorWithoutAnAnswerProves(t *testing.T) {
	for _, test := range []struct {
		err  Error
		want Class
	}{
		{Error{Reason: UpstreamUnreachable, NotSent: true}, NotSent},
		{Error{Reason: DeadlineExceeded, NotSent: true}, NotSent},
		{Error{Reason: UpstreamUnavailable, UpstreamStatus: 503, NotSent: true}, NotSent}, // Of an exchange.
		{Error{Reason: BreakerOpen, Dialled: DialledNo}, Refused},
		{Error{Reason: AddRateLimited}, Refused},
		{Error{Reason: CredentialRefused, UpstreamStatus: 403, NotSent: true}, Refused},
		{Error{Reason: CredentialRefused, UpstreamStatus: 401, FromUpstream: true}, Refused},
		{Error{Reason: UpstreamUnavailable}, Ambiguous},
		{Error{Reason: UpstreamTimeout}, Ambiguous},
		{Error{Reason: UpstreamUndecodable, UpstreamStatus: 200}, Ambiguous},
		{Error{Reason: Internal}, Ambiguous},
	} {
		t.Run(fmt.Sprintf("%s %d", test.err.Reason, test.err.UpstreamStatus), func(t *testing.T) {
			if got := Classify(&test.err); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
