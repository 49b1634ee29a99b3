package participant

import (
	"fmt"
	"testing"
)

// TestA01_WhatAnErrorOfAnAddProves judges every 4xx in a documented body and in another.
func TestA01_WhatAnErrorOfAnAddProves(t *testing.T) {
	for status := 100; status < 600; status++ {
		for _, shaped := range []bool{false, true} {
			e := &Error{Reason: UpstreamUnavailable, UpstreamStatus: status, VendorShaped: shaped}
			want := AddMayBeDone
			switch {
			case status == 429:
				want = AddLimited
			case status == 401 || status == 407 || shaped && status >= 400 && status < 500 && status != 408:
				want = AddRefused
			}
			if got := e.AddOutcome(); got != want {
				t.Errorf("%d, vendor-shaped %v: %d, want %d", status, shaped, got, want)
			}
		}
	}
}

func TestA01_WhatAnErrorWithoutAnAnswerProves(t *testing.T) {
	for _, test := range []struct {
		err  Error
		want AddOutcome
	}{
		{Error{Reason: UpstreamUnreachable, Unreached: true}, AddNotSent},
		{Error{Reason: DeadlineExceeded, Unreached: true}, AddNotSent},
		{Error{Reason: UpstreamUnavailable, UpstreamStatus: 503, Unreached: true}, AddNotSent}, // Of an exchange.
		{Error{Reason: BreakerOpen, Dialled: DialledNo}, AddNotSent},
		{Error{Reason: AddRateLimited}, AddNotSent},
		{Error{Reason: CredentialRefused, UpstreamStatus: 403, Unreached: true}, AddRefused},
		{Error{Reason: CredentialRefused, UpstreamStatus: 401, VendorShaped: true}, AddRefused},
		{Error{Reason: UpstreamUnavailable}, AddMayBeDone},
		{Error{Reason: UpstreamTimeout}, AddMayBeDone},
		{Error{Reason: UpstreamUndecodable, UpstreamStatus: 200}, AddMayBeDone},
		{Error{Reason: Internal}, AddMayBeDone},
	} {
		t.Run(fmt.Sprintf("%s %d", test.err.Reason, test.err.UpstreamStatus), func(t *testing.T) {
			if got := test.err.AddOutcome(); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
