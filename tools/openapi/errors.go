package main

import "github.com/audian/participant-gateway/internal/wire"

var errorRef = object{{"$ref", "#/components/schemas/Error"}}

// errorSchemas are the error body (AIP-193) and the details it can hold.
var errorSchemas = object{
	{"Error", whole("The body of every error.", object{
		{"error", whole("What went wrong.", object{
			{"code", object{{"type", "integer"}, {"description", "The HTTP status."}, {"minimum", 400}, {"maximum", 599}}},
			{"status", object{
				{"type", "string"},
				{"description", "The gRPC code, such as `INVALID_ARGUMENT`."},
				{"pattern", "^[A-Z][A-Z_]*$"},
			}},
			{"message", object{{"type", "string"}, {"description", "For people; programs look at the details."}}},
			{"details", object{
				{"type", "array"},
				{"description", "ErrorInfo first; the others where they have something to tell."},
				{"minItems", 1},
				{"items", object{{"oneOf", detailRefs("ErrorInfo", "BadRequest", "RetryInfo", "QuotaFailure")}}},
			}},
		})},
	})},
	{"ErrorInfo", detail("ErrorInfo", "Why, in words for programs.", object{
		{"reason", object{{"type", "string"}, {"pattern", "^[A-Z][A-Z0-9_]*$"}, {"examples", []string{"CONFERENCE_FULL"}}}},
		{"domain", object{{"type", "string"}, {"const", wire.Domain}}},
		{"metadata", metadata},
	})},
	{"BadRequest", detail("BadRequest", "The fields at fault.", object{
		{"field_violations", list("Every field at fault, 20 at most.", object{
			{"field", text("The field, parameter or header.")},
			{"description", text("What it must be.")},
			{"reason", text("The broken rule.")},
		})},
	})},
	{"RetryInfo", detail("RetryInfo", "When to try again.", object{
		{"retry_delay", text("How long to wait, in seconds.").with("pattern", `^[0-9]+(\.[0-9]{1,9})?s$`)},
	})},
	{"QuotaFailure", detail("QuotaFailure", "The quota that is used up.", object{
		{"violations", list("The quotas.", object{{"subject", text("Whose quota it is.")}, {"description", text("How much it is.")}})},
	})},
}

var metadata = object{
	{"type", "object"},
	{"properties", object{
		{"dialled", object{
			{"type", "string"},
			{"enum", []string{"no", "unknown"}},
			{"description", "On every error of an add: whether a phone may be ringing."},
		}},
		{"upstream_status", text("The HTTP status of the upstream's answer.")},
		{"upstream_request_id", text("The upstream's id of the request: what its support asks for.")},
	}},
	{"additionalProperties", object{{"type", "string"}}},
}

// detail is one kind of detail, told from the others by its @type.
func detail(name, description string, properties object) object {
	kind := member{"@type", object{{"type", "string"}, {"const", "type.googleapis.com/google.rpc." + name}}}
	return whole(description, object{kind}.and(properties))
}

// whole is an object that has all of the properties.
func whole(description string, properties object) object {
	required := make([]string, len(properties))
	for i, property := range properties {
		required[i] = property.name
	}
	return object{{"type", "object"}, {"description", description}, {"required", required}, {"properties", properties}}
}

func list(description string, properties object) object {
	return object{{"type", "array"}, {"description", description}, {"items", whole("One of them.", properties)}}
}

func text(description string) object { return object{{"type", "string"}, {"description", description}} }

func detailRefs(names ...string) []object {
	refs := make([]object, len(names))
	for i, name := range names {
		refs[i] = object{{"$ref", "#/components/schemas/" + name}}
	}
	return refs
}
