package rest

import (
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/decode"
)

// CallFinder returns a function that finds the call that a REST request names, also if its path
// has a trailing slash: the method, and the request with the ids in the path. Without a call it
// returns the empty string and nil.
func CallFinder() (func(*http.Request) (method string, request proto.Message), error) {
	found, err := serviceRoutes()
	if err != nil {
		return nil, err
	}
	return found.call, nil
}

func serviceRoutes() (routes, error) {
	return routesOf(v2.File_audian_conference_v2_participant_service_proto.Services().Get(0))
}

func (all routes) call(r *http.Request) (method string, request proto.Message) {
	path := splitPath(strings.TrimSuffix(withColons(r.URL.EscapedPath()), "/"))
	for _, one := range all {
		if one.verb == r.Method && one.matches(path) {
			request = one.request.New().Interface()
			// An id that cannot be decoded is not set.
			_ = decode.Path(one.variables(path), request)
			return one.method, request
		}
	}
	return "", nil
}

// variables returns the values of the variables of a path that the route matches, without those
// that cannot be decoded.
func (r route) variables(path []string) map[string]string {
	values := map[string]string{}
	for i, sent := range path {
		name, isVariable := strings.CutPrefix(r.segments[i], "{")
		if value, err := url.PathUnescape(sent); isVariable && err == nil {
			values[strings.TrimSuffix(name, "}")] = value
		}
	}
	return values
}
