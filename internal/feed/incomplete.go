package feed

import (
	"fmt"
	"log/slog"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// incomplete is why a list that was applied is a failure (W7).
func incomplete(list participant.List) error {
	message := "a later page of the upstream's list could not be read"
	if list.PageErr == nil && list.Total != nil {
		message = fmt.Sprintf("the upstream lists %d of %d participants", list.Read, *list.Total)
	}
	return &apierror.Error{Reason: apierror.UpstreamIncomplete, Message: message, Cause: list.PageErr}
}

// noteSurplus reports that the upstream was found to count more than it lists.
func (f *Feed) noteSurplus(surplus int) {
	if surplus == 0 {
		return
	}
	f.logger.Warn("the upstream counts more participants than it lists; taken off its total from now on", slog.Int("surplus", surplus))
	if f.options.Observer != nil {
		f.options.Observer.SurplusLearned(surplus)
	}
}
