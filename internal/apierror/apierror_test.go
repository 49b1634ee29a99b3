package apierror

import (
	"fmt"
	"testing"
)

// TestA01_WhatAnErrorOfAnAddProves classifies every 4xx in a documented body and in another.
func TestA01_WhatAnErrorOfAnAddProves(t *testing.T) {
	for status := 100; status < 600; status++ {
		for _, shaped := range []bool{false, true} {
			e := &Error{Reason: UpstreamUnavailable, UpstreamStatus: status, VendorShaped: shaped}
			want := Lost
			switch {
			case status == 429:
				want = Throttled
			case status == 401 || status == 407 || shaped && status >= 400 && status < 500 && status != 408:
				want = Refused
			}
			if got := Classify(e); got != want {
				t.Errorf("%d, vendor-shaped %v: %d, want %d", status, shaped, got, want)
			}
		}
	}
}

func TestA01_WhatAnErrorWithoutAnAnswerProves(t *testing.T) {
	for _, test := range []struct {
		err  Error
		want Class
	}{
		{Error{Reason: UpstreamUnreachable, Unreached: true}, Unreached},
		{Error{Reason: DeadlineExceeded, Unreached: true}, Unreached},
		{Error{Reason: UpstreamUnavailable, UpstreamStatus: 503, Unreached: true}, Unreached}, // Of an exchange.
		{Error{Reason: BreakerOpen, Dialled: DialledNo}, Refused},
		{Error{Reason: AddRateLimited}, Refused},
		{Error{Reason: CredentialRefused, UpstreamStatus: 403, Unreached: true}, Refused},
		{Error{Reason: CredentialRefused, UpstreamStatus: 401, VendorShaped: true}, Refused},
		{Error{Reason: UpstreamUnavailable}, Lost},
		{Error{Reason: UpstreamTimeout}, Lost},
		{Error{Reason: UpstreamUndecodable, UpstreamStatus: 200}, Lost},
		{Error{Reason: Internal}, Lost},
	} {
		t.Run(fmt.Sprintf("%s %d", test.err.Reason, test.err.UpstreamStatus), func(t *testing.T) {
			if got := Classify(&test.err); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
