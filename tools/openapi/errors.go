package main

import "github.com/audian/participant-gateway/internal/apierror/grpcstatus"

var errorRef = refTo("Error")

// errorSchemas are the error body (AIP-193) and its details. All kinds of details have one
// schema instead of a oneOf, so that generated clients can decode details that they do not
// know.
var errorSchemas = object{
	{"Error", allRequired("The body of every error.", object{
		{"error", object{{"description", "What went wrong."}}.and(refTo("ErrorBody"))},
	}).with("examples", []object{{{"error", errorExample}}})},
	{"ErrorBody", allRequired("What went wrong.", object{
		{"code", object{{"type", "integer"}, {"description", "The HTTP status."}, {"minimum", 400}, {"maximum", 599}}},
		{"status", text("The gRPC code, such as `INVALID_ARGUMENT`.").with("pattern", "^[A-Z][A-Z_]*$")},
		{"message", text("A text for people. Programs use the details.")},
		{"details", list("ErrorInfo, then the other details of this error.", "ErrorDetail").with("minItems", 1)},
	})},
	{"ErrorDetail", object{
		{"type", "object"},
		{"description", "One detail of an error, of the kind that `@type` names: " +
			"ErrorInfo has `reason`, `domain` and `metadata`; BadRequest has `field_violations`; RetryInfo has `retry_delay`; " +
			"QuotaFailure has `violations`. Ignore kinds that you do not know."},
		{"required", []string{"@type"}},
		{"properties", object{
			{"@type", text("The kind of detail.").with("examples", []string{typeURL("ErrorInfo")})},
			{"reason", text("The reason, for programs.").
				with("pattern", "^[A-Z][A-Z0-9_]*$").with("examples", []string{"CONFERENCE_FULL"})},
			{"domain", text("`" + grpcstatus.Domain + "`.")},
			{"metadata", refTo("ErrorMetadata")},
			{"field_violations", list("Every invalid field, 20 at most.", "FieldViolation")},
			{"retry_delay", object{{"description", "The time to wait before the next try."}}.and(refTo(durationName))},
			{"violations", list("The quotas that are exhausted.", "QuotaViolation")},
		}},
	}.and(kinds(
		kind{"ErrorInfo", []string{"reason", "domain", "metadata"}},
		kind{"BadRequest", []string{"field_violations"}},
		kind{"RetryInfo", []string{"retry_delay"}},
		kind{"QuotaFailure", []string{"violations"}},
	))},
	{"ErrorMetadata", object{
		{"type", "object"},
		{"description", "Further facts about the error."},
		{"properties", object{
			{"dialled", text("In every error of an add: `no` if surely no phone rings because of it, else `unknown`.").
				with("pattern", "^(no|unknown)$")},
			{"upstream_status", text("The HTTP status of the upstream's response.")},
			{"upstream_request_id", text("The upstream's id of the request; the vendor's support needs it.")},
		}},
		{"additionalProperties", object{{"type", "string"}}},
	}},
	{"FieldViolation", allRequired("An invalid field.", object{
		{"field", text("The field, parameter or header.")},
		{"description", text("What the value must be.")},
		{"reason", text("The rule that the value breaks.")},
	})},
	{"QuotaViolation", allRequired("A quota that is exhausted.", object{
		{"subject", text("Whose quota it is.")},
		{"description", text("The amount of the quota.")},
	})},
}

var errorExample = object{
	{"code", 400},
	{"status", "INVALID_ARGUMENT"},
	{"message", "name: must be at most 100 characters"},
	{"details", []object{
		{
			{"@type", typeURL("ErrorInfo")},
			{"reason", "INVALID_REQUEST"},
			{"domain", grpcstatus.Domain},
			{"metadata", object{{"dialled", "no"}}},
		},
		{{"@type", typeURL("BadRequest")}, {"field_violations", []object{
			{{"field", "name"}, {"description", "must be at most 100 characters"}, {"reason", "NAME_LENGTH"}},
		}}},
	}},
}

// kind is a kind of detail and its required properties.
type kind struct {
	name     string
	required []string
}

func typeURL(name string) string { return "type.googleapis.com/google.rpc." + name }

// kinds returns conditions that require the properties of each kind of detail.
func kinds(all ...kind) object {
	if len(all) == 0 {
		return nil
	}
	first := all[0]
	conditions := object{
		{"if", object{{"properties", object{{"@type", object{{"const", typeURL(first.name)}}}}}}},
		{"then", object{{"required", first.required}}},
	}
	if rest := kinds(all[1:]...); rest != nil {
		conditions = conditions.with("else", rest)
	}
	return conditions
}

// allRequired returns an object schema whose properties are all required.
func allRequired(description string, properties object) object {
	required := make([]string, len(properties))
	for i, property := range properties {
		required[i] = property.name
	}
	return object{{"type", "object"}, {"description", description}, {"required", required}, {"properties", properties}}
}

func list(description, of string) object {
	return object{{"type", "array"}, {"description", description}, {"items", refTo(of)}}
}

func text(description string) object { return object{{"type", "string"}, {"description", description}} }
