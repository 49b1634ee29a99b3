package main

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
)

// refusal is one HTTP status of errors, and the reasons that have it.
type refusal struct {
	status  string
	reasons []reason
}

func (f refusal) description() string {
	lines := make([]string, len(f.reasons))
	for i, one := range f.reasons {
		lines[i] = "- `" + string(one.word) + "`: " + one.text
	}
	return "An error, with one of these reasons:\n\n" + strings.Join(lines, "\n")
}

// refusals are the errors of a method by their HTTP status, which package wire knows.
func refusals(method protoreflect.Name) []refusal {
	byStatus := map[string][]reason{}
	for _, one := range reasons {
		if one.isOf(method) {
			byStatus[one.status()] = append(byStatus[one.status()], one)
		}
	}
	found := make([]refusal, 0, len(byStatus))
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		found = append(found, refusal{status, byStatus[status]})
	}
	return found
}

// reason is one reason of errors as a caller meets it.
type reason struct {
	word participant.Reason
	text string
	// upstream is the status of the upstream's that goes with the reason; 0 where
	// there is none.
	upstream int
	// of are the methods that can fail so; none means all.
	of []protoreflect.Name
}

func (r reason) isOf(method protoreflect.Name) bool {
	return len(r.of) == 0 || slices.Contains(r.of, method)
}

func (r reason) status() string {
	if r.word == participant.UpstreamRefused {
		// Any other 4xx of the upstream's keeps its number.
		return "4XX"
	}
	return statusText(wire.HTTPStatus(wire.Status(&participant.Error{Reason: r.word, UpstreamStatus: r.upstream})))
}

const (
	adding   protoreflect.Name = "AddParticipant"
	removing protoreflect.Name = "RemoveParticipant"
	listing  protoreflect.Name = "ListParticipants"
	watching protoreflect.Name = "WatchParticipants"
)

func only(methods ...protoreflect.Name) []protoreflect.Name { return methods }

// reasons are all reasons that an HTTP error can have.
var reasons = []reason{
	{word: participant.InvalidRequest, text: "fields or parameters are at fault; `details` name each, 20 at most."},
	{word: participant.InvalidPageToken, text: "the page token is none of this service's, or is for other filters.", of: only(listing)},
	{word: participant.InvalidResumeToken, text: "the resume token is none of this service's.", of: only(watching)},
	{word: participant.UpstreamBadRequest, text: "the upstream refused the request.", upstream: 400},
	{word: participant.CredentialMissing, text: "the call needs a credential."},
	{word: participant.CredentialInvalid, text: "the credential is not accepted."},
	{word: participant.CredentialExpired, text: "the credential has expired."},
	{word: participant.CredentialsDiffer, text: "the call carries two credentials that differ."},
	{word: participant.UpstreamUnauthenticated, text: "the upstream does not accept the caller's token."},
	{word: participant.PaymentRequired, text: "the upstream asks for payment.", upstream: 402},
	{word: participant.UpstreamForbidden, text: "the upstream does not let this account do it.", upstream: 403},
	{word: participant.RoleNotGranted, text: "the credential's role does not allow it."},
	{word: participant.ConferenceNotGranted, text: "the credential is not for this conference."},
	{word: participant.HostRefused, text: "the Host header names another server."},
	{word: participant.OriginRefused, text: "a page of another origin may not write.", of: only(adding, removing)},
	{word: participant.ConferenceNotFound, text: "the upstream knows no such conference.", upstream: 404},
	{word: participant.ParticipantNotFound, text: "the upstream knows no such participant.", upstream: 404, of: only(removing)},
	{word: participant.MethodNotAllowed, text: "this path takes other methods; `Allow` names them."},
	{word: participant.UpstreamConflict, text: "the upstream's state does not allow it now.", upstream: 409},
	{word: participant.ConferenceFull, text: "the conference takes no more participants.", upstream: 409, of: only(adding)},
	{word: participant.RequestIDReused, text: "the request id was used with other arguments.", of: only(adding)},
	{word: participant.BodyTooLarge, text: "the body is too large.", of: only(adding)},
	{word: participant.BodyTooSlow, text: "the body did not come in time.", of: only(adding)},
	{word: participant.MediaType, text: "the body is not sent as application/json.", of: only(adding)},
	{word: participant.UnsupportedEncoding, text: "the body is compressed, and not with gzip.", of: only(adding)},
	{word: participant.HeadersTooLarge, text: "the headers are over 32 KiB."},
	{word: participant.UpstreamRateLimited, text: "the upstream takes no more requests for now.", upstream: 429},
	{word: participant.AddRateLimited, text: "10 adds a second leave for an account; this one's turn would be too late.", of: only(adding)},
	{word: participant.CallerRateLimited, text: "the caller makes too many calls a second."},
	{word: participant.TooManyStreams, text: "the caller has too many streams open.", of: only(watching)},
	{word: participant.TooManySubscribers, text: "too many streams are open in all.", of: only(watching)},
	{word: participant.TooManyConferences, text: "too many conferences are watched.", of: only(watching)},
	{word: participant.TooManyFilters, text: "64 different filters are in use for this conference.", of: only(watching)},
	{word: participant.ClientBlocked, text: "the client did not read for 60 seconds.", of: only(watching)},
	{word: participant.UpstreamRefused, text: "the upstream refused with a status that has no reason of its own; it is passed on."},
	{word: participant.Cancelled, text: "the caller ended the call."},
	{word: participant.Internal, text: "the gateway failed."},
	{word: participant.CredentialRefused, text: "the upstream does not accept the gateway's own credential."},
	{word: participant.UpstreamUndecodable, text: "the upstream's answer could not be read."},
	{word: participant.AddOutcomeUnknown, text: "the call was sent, and may have been made: the phone may ring.", of: only(adding)},
	{word: participant.UpstreamUnavailable, text: "the upstream failed."},
	{word: participant.UpstreamUnreachable, text: "the upstream could not be reached."},
	{word: participant.UpstreamIncomplete, text: "the upstream's list was not complete."},
	{word: participant.BreakerOpen, text: "the upstream failed too often and is not asked for now."},
	{word: participant.IssuerUnavailable, text: "the credential could not be checked: its issuer does not answer."},
	{word: participant.IssuerMismatch, text: "the credential could not be checked: its issuer gives itself another name than the one that is configured."},
	{word: participant.Draining, text: "this server is shutting down; call again."},
	{word: participant.StreamAged, text: "the stream has reached its age; call again.", of: only(watching)},
	{word: participant.DeadlineExceeded, text: "the call's deadline has passed."},
	{word: participant.UpstreamTimeout, text: "the upstream did not answer in time."},
}
