package layering_test

const module = "github.com/audian/participant-gateway/"

// base are the packages that every package of the product may import: the domain, errors,
// and what travels with a call. They import each other as arrows has it.
var base = []string{
	"internal/participant", "internal/apierror", "internal/requestctx", "internal/redact", "internal/panics",
	"internal/jitter", "internal/jsonformat",
}

// arrows lists the packages of this module that each package may import in addition to the
// base. A package without a row fails the test.
var arrows = map[string][]string{
	"gen/audian/conference/v2":         {"internal/protooptions/unlinked"},
	"gen/gateway/audian/conference/v2": {"gen/audian/conference/v2"},
	"gen/openapi":                      {},
	"gen/plainproto":                   {},

	"internal/participant":           {"internal/redact"},
	"internal/apierror":              {},
	"internal/apierror/grpcstatus":   {},
	"internal/requestctx":            {"internal/apierror", "internal/redact"},
	"internal/redact":                {},
	"internal/panics":                {},
	"internal/jitter":                {},
	"internal/jsonformat":            {},
	"internal/protooptions":          {},
	"internal/protooptions/unlinked": {},

	"internal/retry":           {},
	"internal/upstream/audian": {},
	"internal/upstream":        {"internal/upstream/audian", "internal/retry"},
	"internal/roster":          {},
	"internal/roster/encoding": {"internal/roster"},
	"internal/feed":            {"internal/roster"},
	"internal/watch":           {"internal/roster", "internal/feed"},
	"internal/answer":          {"internal/roster", "internal/feed"},
	"internal/write":           {"internal/retry"},
	"internal/batch":           {"internal/write"},
	"internal/policy":          {},
	"internal/access":          {"internal/policy"},
	"internal/access/keys":     {"internal/access", "internal/policy", "internal/filewatch"},
	"internal/access/oidc":     {"internal/access"},
	"internal/audit":           {},
	"internal/certs":           {"internal/filewatch"},
	"internal/filewatch":       {},
	"internal/tracing":         {},
	"internal/detached":        {"internal/wire"},
	"internal/wire":            {"internal/watch", "internal/apierror/grpcstatus", "internal/protooptions", "gen/audian/conference/v2"},

	"internal/replica/redisurl":   {},
	"internal/replica/redisconn":  {"internal/replica/redisurl"},
	"internal/replica/membership": {"internal/replica/redisconn"},
	"internal/replica/feedlog": {
		"internal/feed", "internal/roster", "internal/roster/encoding", "internal/replica/redisconn", "internal/replica/sharedlog",
	},
	"internal/replica/sharedlog":    {"internal/replica/redisconn"},
	"internal/replica/sharedclaims": {"internal/replica/redisconn", "internal/write", "internal/batch"},
	"internal/replica/sharedcounts": {"internal/replica/redisconn"},
	"internal/replica/sharedpace":   {"internal/replica/redisconn", "internal/upstream"},

	"internal/service": {
		"internal/feed", "internal/watch", "internal/answer", "internal/write", "internal/batch", "internal/policy",
		"internal/access", "internal/audit", "internal/detached", "internal/wire", "internal/apierror/grpcstatus",
		"gen/audian/conference/v2",
	},
	"internal/metrics": {"internal/upstream/audian", "internal/feed", "internal/watch", "internal/access"},
	"internal/interceptor": {
		"internal/access", "internal/audit", "internal/certs", "internal/detached", "internal/metrics", "internal/wire", "internal/apierror/grpcstatus",
		"gen/audian/conference/v2",
	},
	"internal/grpcapi": {
		"internal/interceptor", "internal/httpapi/httpio", "internal/wire", "internal/apierror/grpcstatus", "gen/audian/conference/v2",
	},
	"internal/httpapi/httpio": {
		"internal/watch",
		"internal/access", "internal/apierror/grpcstatus", "internal/wire", "gen/audian/conference/v2",
	},
	"internal/httpapi/decode": {"internal/httpapi/httpio", "internal/wire"},
	"internal/httpapi/rest": {
		"internal/detached", "internal/httpapi/httpio", "internal/httpapi/decode", "internal/apierror/grpcstatus", "internal/wire",
		"gen/audian/conference/v2", "gen/gateway/audian/conference/v2",
	},
	"internal/httpapi/connectrpc": {
		"internal/httpapi/httpio", "internal/httpapi/decode", "internal/apierror/grpcstatus", "internal/wire",
		"gen/audian/conference/v2",
	},
	"internal/httpapi/web": {"internal/schema", "gen/openapi"},
	"internal/httpapi": {
		"internal/httpapi/httpio", "internal/httpapi/rest", "internal/httpapi/connectrpc", "internal/httpapi/web",
		"gen/audian/conference/v2",
	},
	"internal/admin": {"internal/httpapi/httpio"},
	"internal/server": {
		"internal/admin", "internal/upstream/audian", "internal/upstream", "internal/feed", "internal/watch",
		"internal/answer", "internal/write", "internal/batch", "internal/access", "internal/access/keys", "internal/access/oidc", "internal/audit", "internal/certs",
		"internal/wire", "internal/service", "internal/metrics", "internal/interceptor", "internal/grpcapi",
		"internal/httpapi", "internal/httpapi/httpio", "internal/httpapi/web",
		"internal/replica/redisconn", "internal/replica/membership", "internal/replica/sharedlog", "internal/replica/feedlog",
		"internal/replica/sharedclaims", "internal/replica/sharedcounts", "internal/replica/sharedpace", "internal/policy",
		"internal/tracing", "internal/config", "internal/simulator", "gen/audian/conference/v2", "gen/openapi",
	},

	"internal/schema": {"internal/protooptions", "gen/audian/conference/v2", "gen/openapi", "gen/plainproto"},

	"internal/access/oidc/oidctest": {},

	"internal/feed/feedtest":       {"internal/feed", "internal/roster", "internal/roster/encoding"},
	"internal/certs/certstest":     {},
	"internal/httpapi/openapitest": {"gen/openapi"},
	"internal/httpapi/httpapitest": {},
	"internal/replica/redistest":   {},

	"internal/terminal":  {"client", "gen/audian/conference/v2"},
	"internal/config":    {"internal/replica/redisurl", "internal/policy", "internal/tracing"},
	"internal/simulator": {},

	"client": {"internal/jitter", "gen/audian/conference/v2"},

	"cmd/server":    {"internal/access/keys", "internal/config", "internal/server", "internal/terminal"},
	"cmd/simulator": {"internal/simulator"},
}

// reasons explain, for every package, why it may not import others than arrows lists.
var reasons = map[string]string{
	"gen/audian/conference/v2":         "messages have no code of ours; package unlinked is empty",
	"gen/gateway/audian/conference/v2": "it translates HTTP to the calls of the generated service",
	"gen/openapi":                      generated,
	"gen/plainproto":                   generated,

	"internal/participant": bottom,
	"internal/apierror":    bottom,
	"internal/requestctx":  bottom,
	"internal/redact":      bottom,
	"internal/panics":      bottom,
	"internal/jitter":      bottom,
	"internal/jsonformat":  bottom,

	"internal/protooptions":          "it links the definitions of the proto's options, and nothing else",
	"internal/protooptions/unlinked": "it is empty",

	"internal/apierror/grpcstatus": "it only translates errors; the transports call it",
	"internal/retry":               "it repeats any call; it does not know which",

	"internal/upstream/audian": "the client of the upstream's API knows neither budgets nor feeds",
	"internal/upstream":        apart,
	"internal/feed":            apart,
	"internal/write":           apart,
	"internal/roster":          "the roster is pure: feed drives it",
	"internal/roster/encoding": "it only encodes; feed decides what goes to a log",
	"internal/watch":           "subscriptions read a feed; they know neither transports nor the upstream",
	"internal/batch":           "it orders adds; package write sends them",
	"internal/answer":          "it reads a feed; it knows neither transports nor the upstream",
	"internal/detached":        "it only says how a transport takes a stream over from the service",
	"internal/wire":            "wire only encodes; errors and requests have packages of their own",

	"internal/policy":      "it decides by a name, a number and a count; it does not know how callers are authenticated",
	"internal/access":      "access decisions depend neither on transports nor on files",
	"internal/access/keys": "an authenticator depends on access and the rights in it; it reloads its file by filewatch",
	"internal/access/oidc": "an authenticator depends on access alone",
	"internal/audit":       "it writes lines; interceptors decide which",
	"internal/certs":       "it depends on its files alone",
	"internal/filewatch":   "it reloads any files; it does not know which",

	"internal/tracing": "it sets the export up; packages make spans with the tracer in their context",

	"internal/replica/redisurl":     "it reads a URL; it opens nothing",
	"internal/replica/redisconn":    "the connection knows no data; other packages define what replicas share",
	"internal/replica/membership":   "it counts replicas; it does not know what they do",
	"internal/replica/feedlog":      "it connects feeds with the log in Redis, so that neither knows the other",
	"internal/replica/sharedlog":    "it keeps bytes; package feedlog encodes what feeds give it",
	"internal/replica/sharedclaims": "it keeps what write shares; package server gives it to the writer, the feeds and the upstream's client",
	"internal/replica/sharedcounts": "it keeps numbers; package policy decides by them",
	"internal/replica/sharedpace":   "it implements what package upstream asks of other processes; it knows no feed",

	"internal/service":     "transports and service meet only in package server",
	"internal/interceptor": "the interceptor is the same for every transport, so that only servers and grpcapi know it",
	"internal/metrics":     "packages report to observers of their own; only servers and interceptors know the metrics",

	"internal/grpcapi":            "transports and service meet only in package server",
	"internal/httpapi":            "transports and service meet only in package server",
	"internal/httpapi/httpio":     "it is shared by the HTTP transports, so it imports none of them",
	"internal/httpapi/decode":     "it decodes requests for every HTTP transport, so it imports none of them",
	"internal/httpapi/rest":       siblings,
	"internal/httpapi/connectrpc": siblings,
	"internal/httpapi/web":        "pages are static files: they know no calls",

	"internal/admin":  "it shows plain values, which package server gives it: it knows no feed and no stream",
	"internal/server": "package server composes the parts; what it does not compose belongs to a part",
	"internal/schema": "the schema is generated data",

	"internal/terminal":  "it is a client: it knows the gateway as every other client does",
	"internal/config":    "settings are read once and handed down as plain values",
	"internal/simulator": "the simulator has its own wire types, so that client and fake cannot share a bug",

	"internal/access/oidc/oidctest": testHelp,
	"internal/feed/feedtest":        testHelp,
	"internal/certs/certstest":      testHelp,
	"internal/httpapi/openapitest":  testHelp,
	"internal/httpapi/httpapitest":  testHelp,
	"internal/replica/redistest":    testHelp,

	"client": "programs of others link it: it must stay small",

	"cmd/server":    "commands parse, compose and run; package server does the rest",
	"cmd/simulator": "commands parse, compose and run; package simulator does the rest",
}

const (
	generated = "generated code imports nothing of ours"
	bottom    = "every package may import it, so it imports next to nothing"
	apart     = "upstream, feed and write do not import each other; package server connects them"
	siblings  = "the HTTP transports share functions of httpio and decode, not each other's code"
	testHelp  = "helpers of tests depend on what they help to test alone"
)

// forbidden lists the external packages that a package must not import, with the reason. A
// name includes the packages below it.
var forbidden = map[string]map[string]string{
	"internal/participant":          engine,
	"internal/upstream/audian":      {"google.golang.org": "the upstream speaks REST"},
	"internal/upstream":             engine,
	"internal/feed":                 engine,
	"internal/watch":                engine,
	"internal/answer":               engine,
	"internal/write":                engine,
	"internal/policy":               engine,
	"internal/access":               {"google.golang.org/grpc": "access decisions do not depend on the transport"},
	"internal/simulator":            {"google.golang.org": "the simulated API is REST"},
	"internal/replica/redisconn":    engine,
	"internal/replica/membership":   engine,
	"internal/replica/feedlog":      engine,
	"internal/replica/sharedlog":    engine,
	"internal/replica/sharedclaims": engine,
	"internal/replica/sharedcounts": engine,
	"internal/replica/sharedpace":   engine,
	"internal/roster": {
		"google.golang.org": noTransport,
		"net":               noTransport,
		"sync":              pure,
		"context":           pure,
		"os":                pure,
		"log":               pure,
		"math/rand":         pure,
		"crypto/rand":       pure,
	},
}

const (
	noTransport = "the engine knows no transport; package wire encodes"
	pure        = "the roster is pure: no goroutine, lock, clock or chance, so that a replica can fold the same log"
)

var engine = map[string]string{"google.golang.org": noTransport}

// uses are the restricted identifiers.
var uses = []use{
	{
		names:   []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv"},
		allowed: func(f file) bool { return f.in("internal/config", "cmd") || f.test },
		reason:  "only internal/config reads the environment; commands hand it over",
	},
	{
		names: []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick", "go"},
		allowed: func(f file) bool {
			return !f.in("internal/roster") || f.test
		},
		reason: pure,
	},
	{
		names: []string{
			"http.Client", "http.Request", "http.NewRequest", "http.NewRequestWithContext", "http.Transport",
			"http.Handler", "http.HandlerFunc", "http.ResponseWriter", "http.Header", "http.Server",
		},
		allowed: func(f file) bool {
			return f.test || !f.in("internal/participant", "internal/roster", "internal/feed", "internal/watch", "internal/write", "internal/service")
		},
		reason: "HTTP comes in by package httpapi and goes out by package audian; what is between knows its status numbers at most",
	},
	{
		names:   []string{"time.Sleep"},
		allowed: func(f file) bool { return !f.test || f.imports["testing/synctest"] || f.in("test/bench") },
		reason:  "a test waits in virtual time (testing/synctest) or for a condition, never for a fixed real time; a benchmark may",
	},
}
