package service

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

// maxPageSize is the upstream's limit for the participants of a conference.
const maxPageSize = 1000

// page returns the whole list in the upstream's order, or, for a size above 0, the page after an
// id of the list sorted by id.
func page(list participant.List, filter participant.Filter, size int32, after string) *v2.ListParticipantsResponse {
	response := &v2.ListParticipantsResponse{}
	response.Total, response.Active = counts(list)
	matching := filtered(list, filter)
	if size > 0 {
		matching, response.NextPageToken = pageAfter(matching, filter, min(int(size), maxPageSize), after)
	}
	response.Participants = wire.Participants(len(matching), func(i int) participant.Participant {
		return filter.Show(*matching[i])
	})
	return response
}

// counts returns the upstream's counts, or counts the list if the upstream sent none.
func counts(list participant.List) (total, active int32) {
	count, activeCount := list.Read, 0
	for i := range list.Items {
		if list.Items[i].Status.Active() {
			activeCount++
		}
	}
	if list.Total != nil {
		count = *list.Total
	}
	if list.Active != nil {
		activeCount = *list.Active
	}
	return toInt32(count), toInt32(activeCount)
}

// toInt32 limits an upstream's number to the range of the proto's field.
func toInt32(n int) int32 { return int32(min(max(n, 0), math.MaxInt32)) }

func filtered(list participant.List, filter participant.Filter) []*participant.Participant {
	matching := make([]*participant.Participant, 0, len(list.Items))
	for i := range list.Items {
		if one := &list.Items[i].Participant; filter.Match(*one) {
			matching = append(matching, one)
		}
	}
	return matching
}

// pageAfter returns the page after an id, and the token of the next page, if any.
func pageAfter(
	all []*participant.Participant, filter participant.Filter, size int, after string,
) ([]*participant.Participant, string) {
	slices.SortFunc(all, func(a, b *participant.Participant) int { return strings.Compare(a.ID, b.ID) })
	start, found := slices.BinarySearchFunc(all, after, func(p *participant.Participant, id string) int {
		return strings.Compare(p.ID, id)
	})
	if found {
		start++
	}
	rest := all[start:]
	if len(rest) <= size {
		return rest, ""
	}
	return rest[:size], pageToken(filter, rest[size-1].ID)
}

// pageTokenPrefix identifies page tokens and their version.
const pageTokenPrefix = "pgl1."

// pageToken encodes the filter and the id after which the next page begins.
func pageToken(filter participant.Filter, after string) string {
	hash := filter.Hash()
	return pageTokenPrefix + base64.RawURLEncoding.EncodeToString(append(hash[:], after...))
}

// parsePageToken returns the id in a page token, or the empty string for no token.
func parsePageToken(text string, filter participant.Filter) (string, error) {
	if text == "" {
		return "", nil
	}
	hash := filter.Hash()
	encoded, ours := strings.CutPrefix(text, pageTokenPrefix)
	body, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ours || err != nil || len(body) <= len(hash) {
		return "", invalidPageToken("is not a page token of this service")
	}
	if [len(hash)]byte(body[:len(hash)]) != hash {
		return "", invalidPageToken("was given for other filters")
	}
	return string(body[len(hash):]), nil
}

func invalidPageToken(message string) error {
	return &apierror.Error{
		Reason:     apierror.InvalidPageToken,
		Message:    "page_token " + message,
		Violations: []apierror.Violation{{Field: "page_token", Rule: "page_token", Message: message}},
	}
}
