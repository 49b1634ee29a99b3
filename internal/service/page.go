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

// maxPageSize is the most a page holds: the upstream's limit for a conference.
const maxPageSize = 1000

// page answers a list: all of it in the upstream's order, or a page of it sorted by
// id, beginning after an id.
func page(list participant.List, filter participant.Filter, size int32, after string) *v2.ListParticipantsResponse {
	response := &v2.ListParticipantsResponse{}
	response.Total, response.Active = counts(list)
	passed := pass(list, filter)
	if size > 0 {
		passed, response.NextPageToken = cut(passed, filter, min(int(size), maxPageSize), after)
	}
	response.Participants = wire.Participants(passed)
	return response
}

// counts are the upstream's word, or counted where it gives none.
func counts(list participant.List) (total, active int32) {
	listed, there := list.Read, 0
	for _, item := range list.Items {
		if item.Status.Active() {
			there++
		}
	}
	if list.Total != nil {
		listed = *list.Total
	}
	if list.Active != nil {
		there = *list.Active
	}
	return count(listed), count(there)
}

// count keeps an upstream's number within what the proto can say.
func count(n int) int32 { return int32(min(max(n, 0), math.MaxInt32)) }

func pass(list participant.List, filter participant.Filter) []participant.Participant {
	passed := make([]participant.Participant, 0, len(list.Items))
	for _, item := range list.Items {
		if filter.Match(item.Participant) {
			passed = append(passed, item.Participant)
		}
	}
	return passed
}

// cut gives the page after an id, and the token of the next where there is one.
func cut(
	all []participant.Participant, filter participant.Filter, size int, after string,
) ([]participant.Participant, string) {
	slices.SortFunc(all, func(a, b participant.Participant) int { return strings.Compare(a.ID, b.ID) })
	start, found := slices.BinarySearchFunc(all, after, func(p participant.Participant, id string) int {
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

// pageTokenPrefix tells a page token, and its version, from other text.
const pageTokenPrefix = "pgl1."

// pageToken says after which id the next page begins, and for which filter.
func pageToken(filter participant.Filter, after string) string {
	hash := filter.Hash()
	return pageTokenPrefix + base64.RawURLEncoding.EncodeToString(append(hash[:], after...))
}

// readPageToken gives the id after which to go on; empty for no token.
func readPageToken(text string, filter participant.Filter) (string, error) {
	if text == "" {
		return "", nil
	}
	hash := filter.Hash()
	encoded, ours := strings.CutPrefix(text, pageTokenPrefix)
	body, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ours || err != nil || len(body) <= len(hash) {
		return "", badPageToken("is not a page token of this service")
	}
	if [len(hash)]byte(body[:len(hash)]) != hash {
		return "", badPageToken("was given for other filters")
	}
	return string(body[len(hash):]), nil
}

func badPageToken(message string) error {
	return &apierror.Error{
		Reason:     apierror.InvalidPageToken,
		Message:    "page_token " + message,
		Violations: []apierror.Violation{{Field: "page_token", Rule: "page_token", Message: message}},
	}
}
