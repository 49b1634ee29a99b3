package rest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// route is the HTTP route of one method of the service.
type route struct {
	// method is the full name of the method, as gRPC has it.
	method, verb string
	// segments are the path's, each a literal or one variable in braces.
	segments []string
	request  protoreflect.MessageType
}

// matches reports whether a path, as it was sent and split, has the form of the route's.
func (r route) matches(path []string) bool {
	return slices.EqualFunc(r.segments, path, func(segment, sent string) bool {
		return segment == sent || strings.HasPrefix(segment, "{")
	})
}

func splitPath(path string) []string { return strings.Split(path, "/") }

// routes are the routes of all methods of the service.
type routes []route

// routesOf reads the routes from the methods' google.api.http rules, as grpc-gateway does.
func routesOf(service protoreflect.ServiceDescriptor) (routes, error) {
	methods := service.Methods()
	found := make(routes, 0, methods.Len())
	for i := range methods.Len() {
		request, err := protoregistry.GlobalTypes.FindMessageByName(methods.Get(i).Input().FullName())
		if err != nil {
			return nil, fmt.Errorf("find the request of %s: %w", methods.Get(i).FullName(), err)
		}
		name := fmt.Sprintf("/%s/%s", service.FullName(), methods.Get(i).Name())
		for _, rule := range httpRules(methods.Get(i)) {
			verb, path := verbAndPath(rule)
			found = append(found, route{method: name, verb: verb, segments: splitPath(path), request: request})
		}
	}
	return found, nil
}

// httpRules returns the rules of a method's routes.
func httpRules(method protoreflect.MethodDescriptor) []*annotations.HttpRule {
	rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	return append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...)
}

func verbAndPath(rule *annotations.HttpRule) (verb, path string) {
	switch {
	case rule.GetPost() != "":
		return http.MethodPost, rule.GetPost()
	case rule.GetDelete() != "":
		return http.MethodDelete, rule.GetDelete()
	default:
		return http.MethodGet, rule.GetGet()
	}
}

// emptyRequest returns the request message of the route that a request matches.
func (all routes) emptyRequest(r *http.Request) proto.Message {
	path := splitPath(r.URL.EscapedPath())
	for _, one := range all {
		if one.verb == r.Method && one.matches(path) {
			return one.request.New().Interface()
		}
	}
	return nil
}

// allowed returns the methods of a path, for the header Allow.
func (all routes) allowed(path string) string {
	var verbs []string
	segments := splitPath(path)
	for _, one := range all {
		switch {
		case !one.matches(segments):
		case one.verb == http.MethodGet:
			verbs = append(verbs, http.MethodGet, http.MethodHead)
		default:
			verbs = append(verbs, one.verb)
		}
	}
	slices.Sort(verbs)
	return strings.Join(verbs, ", ")
}
