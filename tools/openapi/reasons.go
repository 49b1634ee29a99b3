package main

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
)

// errorResponse is an HTTP status of errors with its reasons.
type errorResponse struct {
	status  string
	reasons []reason
}

func (f errorResponse) description() string {
	lines := make([]string, len(f.reasons))
	for i, one := range f.reasons {
		lines[i] = "- `" + string(one.name) + "`: " + one.text
	}
	return "An error, with one of these reasons:\n\n" + strings.Join(lines, "\n")
}

// errorResponses returns the errors of a method by their HTTP status.
func errorResponses(method protoreflect.Name) []errorResponse {
	byStatus := map[string][]reason{}
	for _, one := range reasons {
		if one.appliesTo(method) {
			byStatus[one.status()] = append(byStatus[one.status()], one)
		}
	}
	found := make([]errorResponse, 0, len(byStatus))
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		found = append(found, errorResponse{status, byStatus[status]})
	}
	return found
}

// reason is a reason of errors.
type reason struct {
	name apierror.Reason
	text string
	// upstream is the HTTP status of the upstream for this reason; 0 for none.
	upstream int
	// methods are those that can return the reason; none means all. A reason of the upstream does
	// not apply to a method that sends it nothing, or that reports it for each conference.
	methods []protoreflect.Name
}

func (r reason) appliesTo(method protoreflect.Name) bool {
	if len(r.methods) == 0 {
		return method != refreshing && method != watchingMany || !r.isUpstreams()
	}
	return slices.Contains(r.methods, method)
}

func (r reason) isUpstreams() bool {
	return r.upstream != 0 || strings.HasPrefix(string(r.name), "UPSTREAM_")
}

func (r reason) status() string {
	if r.name == apierror.UpstreamRefused {
		// Any other 4xx of the upstream is passed on.
		return "4XX"
	}
	return statusText(grpcstatus.HTTPStatus(grpcstatus.From(&apierror.Error{Reason: r.name, UpstreamStatus: r.upstream})))
}

const (
	adding       protoreflect.Name = "AddParticipant"
	removing     protoreflect.Name = "RemoveParticipant"
	listing      protoreflect.Name = "ListParticipants"
	watching     protoreflect.Name = "WatchParticipants"
	getting      protoreflect.Name = "GetParticipant"
	mutingAll    protoreflect.Name = "MuteAllParticipants"
	refreshing   protoreflect.Name = "RefreshParticipants"
	batching     protoreflect.Name = "BatchAddParticipants"
	watchingMany protoreflect.Name = "WatchConferences"
)

// controlling are the calls that change one field of a participant.
var controlling = only("MuteParticipant", "UnmuteParticipant", "HoldParticipant", "ResumeParticipant", "DisconnectParticipant")

// withBody are the calls that read a body, ofParticipant those that name a participant.
var (
	withBody      = append(only(adding, mutingAll, refreshing, batching, watchingMany), controlling...)
	ofParticipant = append(only(getting, removing), controlling...)
)

func only(methods ...protoreflect.Name) []protoreflect.Name { return methods }

// reasons are all reasons of HTTP errors.
var reasons = []reason{
	{name: apierror.InvalidRequest, text: "fields or parameters are invalid; `details` names them, 20 at most."},
	{name: apierror.InvalidPageToken, text: "the page token is not from this service, or is for other filters.", methods: only(listing)},
	{name: apierror.InvalidResumeToken, text: "the resume token is not from this service.", methods: only(watching)},
	{name: apierror.UpstreamBadRequest, text: "the upstream refused the request.", upstream: 400},
	{name: apierror.CredentialMissing, text: "the call needs a credential."},
	{name: apierror.CredentialInvalid, text: "the credential is not accepted."},
	{name: apierror.CredentialExpired, text: "the credential has expired."},
	{name: apierror.CredentialsDiffer, text: "the call has two different credentials."},
	{name: apierror.UpstreamUnauthenticated, text: "the upstream does not accept the caller's token."},
	{name: apierror.PaymentRequired, text: "the upstream requires payment.", upstream: 402},
	{name: apierror.UpstreamForbidden, text: "the upstream does not allow this account to do it.", upstream: 403},
	{name: apierror.RoleNotGranted, text: "the credential's role does not allow it."},
	{name: apierror.ConferenceNotGranted, text: "the credential is not for this conference."},
	{name: apierror.NumberNotAllowed, text: "the caller may not dial numbers with this prefix.", methods: only(adding, batching)},
	{name: apierror.HostRefused, text: "the Host header names another server."},
	{name: apierror.OriginRefused, text: "a page of another origin may not write.", methods: append(only(removing), withBody...)},
	{name: apierror.ConferenceNotFound, text: "the upstream knows no such conference.", upstream: 404},
	{name: apierror.ParticipantNotFound, text: "the upstream knows no such participant.", upstream: 404, methods: ofParticipant},
	{name: apierror.MethodNotAllowed, text: "the path does not support this method; `Allow` lists the supported ones."},
	{name: apierror.UpstreamConflict, text: "the upstream's state does not allow it now.", upstream: 409},
	{name: apierror.ConferenceFull, text: "the conference takes no more participants.", upstream: 409, methods: only(adding)},
	{name: apierror.BatchUnknown, text: "the gateway does not hold a batch with this request id.", methods: only(batching)},
	{name: apierror.RequestIDReused, text: "the request id was used with other arguments.", methods: only(adding, batching)},
	{name: apierror.BodyTooLarge, text: "the body is too large.", methods: withBody},
	{name: apierror.BodyTooSlow, text: "the body did not arrive in time.", methods: withBody},
	{name: apierror.MediaType, text: "the body is not declared as application/json.", methods: withBody},
	{name: apierror.UnsupportedEncoding, text: "the body is compressed with another method than gzip.", methods: withBody},
	{name: apierror.HeadersTooLarge, text: "the headers are larger than 32 KiB."},
	{name: apierror.UpstreamRateLimited, text: "the upstream refuses more requests for now.", upstream: 429},
	{name: apierror.AddRateLimited, text: "an account sends 10 adds a second; this one would miss the deadline.", methods: only(adding)},
	{name: apierror.DailyLimit, text: "the caller has no more adds left of the day (UTC).", methods: only(adding, batching)},
	{name: apierror.CallerRateLimited, text: "the caller makes too many calls a second."},
	{name: apierror.TooManyStreams, text: "the caller has too many streams open.", methods: only(watching, watchingMany, batching)},
	{name: apierror.TooManySubscribers, text: "too many streams are open in total.", methods: only(watching)},
	{name: apierror.TooManyConferences, text: "too many conferences are watched.", methods: only(watching)},
	{name: apierror.TooManyFilters, text: "64 different filters are in use for this conference.", methods: only(watching)},
	{name: apierror.ClientBlocked, text: "the client did not read for 60 seconds.", methods: only(watching, watchingMany, batching)},
	{name: apierror.UpstreamRefused, text: "the upstream refused with another status, which is passed on."},
	{name: apierror.Cancelled, text: "the caller cancelled the call."},
	{name: apierror.Internal, text: "the gateway failed."},
	{name: apierror.CredentialRefused, text: "the upstream does not accept the gateway's own credential."},
	{name: apierror.UpstreamUndecodable, text: "the upstream's response cannot be read."},
	{name: apierror.AddOutcomeUnknown, text: "the add was sent, but its outcome is unknown: the phone may ring.", methods: only(adding)},
	{name: apierror.UpstreamUnavailable, text: "the upstream failed."},
	{name: apierror.UpstreamUnreachable, text: "the upstream could not be reached."},
	{name: apierror.UpstreamIncomplete, text: "the upstream's list is incomplete.", methods: only(listing, getting)},
	{name: apierror.BreakerOpen, text: "the circuit breaker is open: the upstream failed too often."},
	{name: apierror.IssuerUnavailable, text: "the credential cannot be verified: its issuer does not respond."},
	{name: apierror.IssuerMismatch, text: "the credential cannot be verified: its issuer's name differs from the configured one."},
	{
		name: apierror.SharedStateUnavailable, methods: only(adding),
		text: "Redis is unavailable; repeat the add, with its request_id if it has one.",
	},
	{name: apierror.Draining, text: "this server is shutting down; call again."},
	{name: apierror.StreamAged, text: "the stream has reached its maximum age; call again.", methods: only(watching, watchingMany)},
	{name: apierror.StreamEnded, text: "this server's operator has ended the stream; call again.", methods: only(watching, watchingMany)},
	{name: apierror.DeadlineExceeded, text: "the call's deadline has passed."},
	{name: apierror.UpstreamTimeout, text: "the upstream did not respond in time."},
}
