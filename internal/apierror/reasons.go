package apierror

// Reason is the stable, documented name of an error: the reason in ErrorInfo, and the
// stale_reason in checkpoints. Each has one gRPC code (package grpcstatus) and a row in
// docs/errors.md.
type Reason string

// Reasons about the caller's request.
const (
	InvalidRequest     Reason = "INVALID_REQUEST"
	InvalidResumeToken Reason = "INVALID_RESUME_TOKEN"
	InvalidPageToken   Reason = "INVALID_PAGE_TOKEN"
	RequestIDReused    Reason = "REQUEST_ID_REUSED"
	BatchUnknown       Reason = "BATCH_UNKNOWN"
	AddRateLimited     Reason = "ADD_RATE_LIMITED"
	DeadlineExceeded   Reason = "DEADLINE_EXCEEDED"
	Cancelled          Reason = "CANCELLED"
	MethodNotAllowed   Reason = "METHOD_NOT_ALLOWED"
	RouteNotFound      Reason = "ROUTE_NOT_FOUND"
	BodyTooLarge       Reason = "BODY_TOO_LARGE"
	BodyTooSlow        Reason = "BODY_TOO_SLOW"
	MediaType          Reason = "UNSUPPORTED_MEDIA_TYPE"

	UnsupportedEncoding Reason = "UNSUPPORTED_ENCODING"
	HeadersTooLarge     Reason = "HEADERS_TOO_LARGE"
)

// Reasons about the caller.
const (
	CredentialMissing    Reason = "CREDENTIAL_MISSING"
	CredentialInvalid    Reason = "CREDENTIAL_INVALID"
	CredentialExpired    Reason = "CREDENTIAL_EXPIRED"
	CredentialsDiffer    Reason = "CREDENTIALS_DIFFER"
	IssuerUnavailable    Reason = "ISSUER_UNAVAILABLE"
	IssuerMismatch       Reason = "ISSUER_MISMATCH"
	RoleNotGranted       Reason = "ROLE_NOT_GRANTED"
	ConferenceNotGranted Reason = "CONFERENCE_NOT_GRANTED"
	OriginRefused        Reason = "ORIGIN_REFUSED"
	HostRefused          Reason = "HOST_REFUSED"
	NumberNotAllowed     Reason = "NUMBER_NOT_ALLOWED" // a prefix that the caller may not dial
	DailyLimit           Reason = "DAILY_LIMIT"        // adds a day of one caller
)

// Reasons from the status of the upstream's response.
const (
	UpstreamBadRequest      Reason = "UPSTREAM_BAD_REQUEST"        // 400
	UpstreamUnauthenticated Reason = "UPSTREAM_UNAUTHENTICATED"    // 401, the caller's own token
	CredentialRefused       Reason = "UPSTREAM_CREDENTIAL_REFUSED" // 401, the gateway's credential
	PaymentRequired         Reason = "UPSTREAM_PAYMENT_REQUIRED"   // 402
	UpstreamForbidden       Reason = "UPSTREAM_FORBIDDEN"          // 403
	ConferenceNotFound      Reason = "CONFERENCE_NOT_FOUND"        // 404
	ParticipantNotFound     Reason = "PARTICIPANT_NOT_FOUND"       // 404 on a remove
	UpstreamConflict        Reason = "UPSTREAM_CONFLICT"           // 409
	ConferenceFull          Reason = "CONFERENCE_FULL"             // 409 that names the limit
	UpstreamRateLimited     Reason = "UPSTREAM_RATE_LIMITED"       // 429
	UpstreamRefused         Reason = "UPSTREAM_REFUSED"            // any other 4xx
	UpstreamUnavailable     Reason = "UPSTREAM_UNAVAILABLE"        // 5xx, or a lost response
)

// Reasons about an upstream that does not respond, or whose response cannot be used.
const (
	UpstreamUnreachable Reason = "UPSTREAM_UNREACHABLE"
	UpstreamTimeout     Reason = "UPSTREAM_TIMEOUT"
	UpstreamUndecodable Reason = "UPSTREAM_UNDECODABLE"
	UpstreamIncomplete  Reason = "UPSTREAM_INCOMPLETE"
	BreakerOpen         Reason = "UPSTREAM_BREAKER_OPEN"
	AddOutcomeUnknown   Reason = "ADD_OUTCOME_UNKNOWN"
	PollDelayed         Reason = "POLL_DELAYED"
)

// Reasons of the gateway itself.
const (
	Draining      Reason = "DRAINING"
	StreamAged    Reason = "STREAM_AGED"
	StreamEnded   Reason = "STREAM_ENDED" // through the admin port
	ClientBlocked Reason = "CLIENT_BLOCKED"
	Internal      Reason = "INTERNAL"

	SharedStateUnavailable Reason = "SHARED_STATE_UNAVAILABLE" // Redis, which replicas share
)

// Reasons of the gateway's limits.
const (
	CallerRateLimited  Reason = "CALLER_RATE_LIMITED"  // calls per second of one caller
	TooManyStreams     Reason = "TOO_MANY_STREAMS"     // streams of one caller
	TooManySubscribers Reason = "TOO_MANY_SUBSCRIBERS" // all streams
	TooManyConferences Reason = "TOO_MANY_CONFERENCES" // all watched conferences
	TooManyFilters     Reason = "TOO_MANY_FILTERS"     // filters of one conference
)
