package main

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/tools/internal/protosource"
)

// generator generates the document. It collects errors for everything that it does not
// support, so that `make generate` fails instead of writing a wrong document.
type generator struct {
	comments protosource.Comments
	errs     []error
	// lists are the named schemas of lists in requests.
	lists object
}

func (g *generator) errorf(of protoreflect.Descriptor, format string, args ...any) {
	g.errs = append(g.errs, fmt.Errorf("%s: %w", of.FullName(), fmt.Errorf(format, args...)))
}

func (g *generator) document(file protoreflect.FileDescriptor) (object, error) {
	service := file.Services().Get(0)
	document := object{
		{"openapi", "3.1.0"},
		{"info", object{
			{"title", "Participant Gateway"},
			{"version", string(file.Package().Name())},
			{"summary", firstSentence(g.comments.Of(service))},
			{"description", g.comments.Head() + "\n\n" + overHTTP},
		}},
		{"jsonSchemaDialect", "https://spec.openapis.org/oas/3.1/dialect/base"},
		{"servers", []object{{{"url", "/"}, {"description", "The server that this document came from."}}}},
		{"security", []object{{}, {{"XAuthToken", []string{}}}, {{"Bearer", []string{}}}}},
		{"tags", []object{{{"name", tag}, {"description", g.comments.Of(service)}}}},
		{"paths", g.paths(service)},
		{"components", object{
			{"schemas", g.schemas(file)},
			{"headers", headerSchemas},
			{"securitySchemes", securitySchemes},
		}},
	}
	return document, errors.Join(g.errs...)
}

const (
	tag      = "participants"
	overHTTP = "Over HTTP, enum values are the upstream's lower-case words (requests also accept the names of the proto), " +
		"times are RFC 3339 in UTC, durations are seconds such as `1.5s`, and every documented field is present: " +
		"unknown values are null. `status` and `role` also contain words of the upstream that the proto does not know, " +
		"so there are no `raw_status` and `raw_role`, also in `changed_fields`. Unknown fields and parameters are refused. " +
		"All errors have the body `Error`; its `details` are described above."
)

var securitySchemes = object{
	{"XAuthToken", object{
		{"type", "apiKey"},
		{"in", "header"},
		{"name", "X-Auth-Token"},
		{"description", "The caller's credential. It is ignored if the gateway requires none."},
	}},
	{"Bearer", object{
		{"type", "http"},
		{"scheme", "bearer"},
		{"description", "The same credential as `Authorization: Bearer`. A call with two different credentials is refused."},
	}},
}

// paths returns the service's routes, grouped by path.
func (g *generator) paths(service protoreflect.ServiceDescriptor) object {
	var paths object
	at := map[string]int{}
	for i := range service.Methods().Len() {
		for _, r := range g.routesOf(service.Methods().Get(i)) {
			index, known := at[r.path]
			if !known {
				index = len(paths)
				at[r.path] = index
				paths = append(paths, member{r.path, object{}})
			}
			item, _ := paths[index].value.(object)
			paths[index].value = item.with(r.verb, g.operation(r))
		}
	}
	return paths
}

// route is the HTTP route of a method.
type route struct {
	method protoreflect.MethodDescriptor
	verb   string
	path   string
	// hasBody reports whether the fields outside of the path are in the body, not the query.
	hasBody bool
	// idSuffix distinguishes the operation ids of a method's additional routes.
	idSuffix string
	// response is the message of the response body; nil for no body.
	response protoreflect.MessageDescriptor
}

// routesOf returns the routes of a method: the main one first.
func (g *generator) routesOf(method protoreflect.MethodDescriptor) []route {
	rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	all := make([]route, 0, 1+len(rule.GetAdditionalBindings()))
	all = append(all, g.routeOf(method, rule))
	for _, additional := range rule.GetAdditionalBindings() {
		r := g.routeOf(method, additional)
		r.idSuffix = "By" + strings.ToUpper(r.verb[:1]) + r.verb[1:]
		all = append(all, r)
	}
	return all
}

func (g *generator) routeOf(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) route {
	r := route{method: method, hasBody: rule.GetBody() == "*", response: method.Output()}
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.verb, r.path = "get", pattern.Get
	case *annotations.HttpRule_Post:
		r.verb, r.path = "post", pattern.Post
	case *annotations.HttpRule_Delete:
		r.verb, r.path = "delete", pattern.Delete
	default:
		g.errorf(method, "unsupported http rule %v", rule)
	}
	if part := rule.GetResponseBody(); part != "" {
		r.response = method.Output().Fields().ByName(protoreflect.Name(part)).Message()
	}
	if r.response.Fields().Len() == 0 {
		r.response = nil
	}
	return r
}

// hasEmptyBody reports whether the body has no fields: all of them are in the path.
func (r route) hasEmptyBody() bool {
	fields := r.method.Input().Fields()
	for i := range fields.Len() {
		if !inPath(r.path, fields.Get(i)) {
			return false
		}
	}
	return r.hasBody
}

// isControl reports whether the call changes one participant and has no arguments. Its response
// has no body if the upstream's contains no participant.
func (r route) isControl() bool { return r.hasEmptyBody() && r.response != nil }
