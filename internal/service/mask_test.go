package service

import (
	"context"
	"testing"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

func TestA13_OnlyCallersWithTheRightSeeNumbers(t *testing.T) {
	ada := participant.Participant{ID: "a", PhoneNumber: "+12025551234"}
	for name, test := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"no caller": {t.Context(), "+*******1234"},
		"a viewer":  {access.NewContext(t.Context(), access.Caller{Name: "wall"}), "+*******1234"},
		"a reader":  {access.NewContext(t.Context(), access.Caller{Name: "desk", SeesNumbers: true}), "+12025551234"},
	} {
		if got := visibleTo(test.ctx, ada); got.PhoneNumber != test.want || got.ID != "a" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestA13_PagesAreMaskedAndTheirTokensBelongToTheMask(t *testing.T) {
	list := listOf("a held", "b held")
	for i := range list.Items {
		list.Items[i].PhoneNumber = "+12025551234"
	}
	masked := participant.Filter{MaskNumbers: true}
	for _, size := range []int32{0, 1} {
		for _, p := range page(list, masked, size, "").GetParticipants() {
			if p.GetPhoneNumber() != "+*******1234" {
				t.Errorf("page size %d: %v", size, p)
			}
		}
	}
	if got := page(list, participant.Filter{}, 0, "").GetParticipants()[0].GetPhoneNumber(); got != "+12025551234" {
		t.Errorf("a reader got %s", got)
	}
	for _, filter := range []participant.Filter{{}, masked} {
		other := participant.Filter{MaskNumbers: !filter.MaskNumbers}
		if _, err := parsePageToken(pageToken(filter, "a"), other); apierror.ReasonOf(err) != apierror.InvalidPageToken {
			t.Errorf("the token of another role: %v", err)
		}
		if after, err := parsePageToken(pageToken(filter, "a"), filter); after != "a" || err != nil {
			t.Errorf("its own token: %q, %v", after, err)
		}
	}
}
