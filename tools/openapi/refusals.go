package main

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
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
	word apierror.Reason
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
	if r.word == apierror.UpstreamRefused {
		// Any other 4xx of the upstream's keeps its number.
		return "4XX"
	}
	return statusText(grpcstatus.HTTPStatus(grpcstatus.From(&apierror.Error{Reason: r.word, UpstreamStatus: r.upstream})))
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
	{word: apierror.InvalidRequest, text: "fields or parameters are at fault; `details` name each, 20 at most."},
	{word: apierror.InvalidPageToken, text: "the page token is none of this service's, or is for other filters.", of: only(listing)},
	{word: apierror.InvalidResumeToken, text: "the resume token is none of this service's.", of: only(watching)},
	{word: apierror.UpstreamBadRequest, text: "the upstream refused the request.", upstream: 400},
	{word: apierror.CredentialMissing, text: "the call needs a credential."},
	{word: apierror.CredentialInvalid, text: "the credential is not accepted."},
	{word: apierror.CredentialExpired, text: "the credential has expired."},
	{word: apierror.CredentialsDiffer, text: "the call carries two credentials that differ."},
	{word: apierror.UpstreamUnauthenticated, text: "the upstream does not accept the caller's token."},
	{word: apierror.PaymentRequired, text: "the upstream asks for payment.", upstream: 402},
	{word: apierror.UpstreamForbidden, text: "the upstream does not let this account do it.", upstream: 403},
	{word: apierror.RoleNotGranted, text: "the credential's role does not allow it."},
	{word: apierror.ConferenceNotGranted, text: "the credential is not for this conference."},
	{word: apierror.HostRefused, text: "the Host header names another server."},
	{word: apierror.OriginRefused, text: "a page of another origin may not write.", of: only(adding, removing)},
	{word: apierror.ConferenceNotFound, text: "the upstream knows no such conference.", upstream: 404},
	{word: apierror.ParticipantNotFound, text: "the upstream knows no such participant.", upstream: 404, of: only(removing)},
	{word: apierror.MethodNotAllowed, text: "this path takes other methods; `Allow` names them."},
	{word: apierror.UpstreamConflict, text: "the upstream's state does not allow it now.", upstream: 409},
	{word: apierror.ConferenceFull, text: "the conference takes no more participants.", upstream: 409, of: only(adding)},
	{word: apierror.RequestIDReused, text: "the request id was used with other arguments.", of: only(adding)},
	{word: apierror.BodyTooLarge, text: "the body is too large.", of: only(adding)},
	{word: apierror.BodyTooSlow, text: "the body did not come in time.", of: only(adding)},
	{word: apierror.MediaType, text: "the body is not sent as application/json.", of: only(adding)},
	{word: apierror.UnsupportedEncoding, text: "the body is compressed, and not with gzip.", of: only(adding)},
	{word: apierror.HeadersTooLarge, text: "the headers are over 32 KiB."},
	{word: apierror.UpstreamRateLimited, text: "the upstream takes no more requests for now.", upstream: 429},
	{word: apierror.AddRateLimited, text: "10 adds a second leave for an account; this one's turn would be too late.", of: only(adding)},
	{word: apierror.CallerRateLimited, text: "the caller makes too many calls a second."},
	{word: apierror.TooManyStreams, text: "the caller has too many streams open.", of: only(watching)},
	{word: apierror.TooManySubscribers, text: "too many streams are open in all.", of: only(watching)},
	{word: apierror.TooManyConferences, text: "too many conferences are watched.", of: only(watching)},
	{word: apierror.TooManyFilters, text: "64 different filters are in use for this conference.", of: only(watching)},
	{word: apierror.ClientBlocked, text: "the client did not read for 60 seconds.", of: only(watching)},
	{word: apierror.UpstreamRefused, text: "the upstream refused with a status that has no reason of its own; it is passed on."},
	{word: apierror.Cancelled, text: "the caller ended the call."},
	{word: apierror.Internal, text: "the gateway failed."},
	{word: apierror.CredentialRefused, text: "the upstream does not accept the gateway's own credential."},
	{word: apierror.UpstreamUndecodable, text: "the upstream's answer could not be read."},
	{word: apierror.AddOutcomeUnknown, text: "the call was sent, and may have been made: the phone may ring.", of: only(adding)},
	{word: apierror.UpstreamUnavailable, text: "the upstream failed."},
	{word: apierror.UpstreamUnreachable, text: "the upstream could not be reached."},
	{word: apierror.UpstreamIncomplete, text: "the upstream's list was not complete."},
	{word: apierror.BreakerOpen, text: "the upstream failed too often and is not asked for now."},
	{word: apierror.IssuerUnavailable, text: "the credential could not be checked: its issuer does not answer."},
	{word: apierror.IssuerMismatch, text: "the credential could not be checked: its issuer has another name than the configured one."},
	{word: apierror.Draining, text: "this server is shutting down; call again."},
	{word: apierror.StreamAged, text: "the stream has reached its age; call again.", of: only(watching)},
	{word: apierror.DeadlineExceeded, text: "the call's deadline has passed."},
	{word: apierror.UpstreamTimeout, text: "the upstream did not answer in time."},
}
