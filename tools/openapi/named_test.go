package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchemasUsedTwiceAreNamed checks what client generators need: objects, choices and enums
// are components, and so is every other non-plain schema that is used twice.
func TestSchemasUsedTwiceAreNamed(t *testing.T) {
	document := decoded(t)
	var inline []map[string]any
	for _, schema := range at[map[string]any](t, document, "components", "schemas") {
		inline = append(inline, below(schema.(map[string]any))...)
	}
	inline = append(inline, schemasOf(at[any](t, document, "paths"))...)
	inline = append(inline, schemasOf(at[any](t, document, "components", "headers"))...)
	seen := map[string]bool{}
	for _, schema := range inline {
		text := shape(t, schema)
		if isModel(schema) {
			t.Errorf("this schema has no name: %s", text)
		}
		if !isPlain(schema) && seen[text] {
			t.Errorf("this schema is inline twice: %s", text)
		}
		seen[text] = true
	}
	if len(inline) < 100 {
		t.Errorf("only %d schemas were read", len(inline))
	}
}

// schemasOf returns the schemas in a node of the document that is not a schema itself.
func schemasOf(node any) []map[string]any {
	var found []map[string]any
	switch node := node.(type) {
	case map[string]any:
		for name, child := range node {
			if schema, isObject := child.(map[string]any); name == "schema" && isObject {
				found = append(append(found, schema), below(schema)...)
				continue
			}
			found = append(found, schemasOf(child)...)
		}
	case []any:
		for _, child := range node {
			found = append(found, schemasOf(child)...)
		}
	}
	return found
}

// below returns the schemas inside a schema.
func below(schema map[string]any) []map[string]any {
	var found []map[string]any
	add := func(child any) {
		if one, isObject := child.(map[string]any); isObject {
			found = append(append(found, one), below(one)...)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, property := range properties {
		add(property)
	}
	add(schema["items"])
	add(schema["additionalProperties"])
	return found
}

// isModel reports whether client generators generate a type for the schema.
func isModel(schema map[string]any) bool {
	_, isObject := schema["properties"]
	_, isEnum := schema["enum"]
	return isObject || isEnum || schema["allOf"] != nil || schema["oneOf"] != nil || !isNullable(schema["anyOf"])
}

// isNullable reports whether an anyOf has one schema beside null and the empty string, which
// client generators support.
func isNullable(anyOf any) bool {
	choices, _ := anyOf.([]any)
	isOther := func(choice any) bool {
		one, _ := choice.(map[string]any)
		return one["$ref"] == nil && one["type"] != "null" && one["const"] != ""
	}
	return !slices.ContainsFunc(choices, isOther)
}

// isPlain reports whether the schema is a type or a reference, or a list of these or
// nullable.
func isPlain(schema map[string]any) bool {
	for keyword, value := range schema {
		switch keyword {
		case "type", "format", "description", "examples", "$ref":
		case "items":
			if !isPlain(value.(map[string]any)) {
				return false
			}
		case "anyOf":
			if !isNullable(value) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// shape returns a schema without descriptions and examples.
func shape(t *testing.T, schema map[string]any) string {
	t.Helper()
	bare := map[string]any{}
	for keyword, value := range schema {
		if keyword != "description" && keyword != "examples" {
			bare[keyword] = value
		}
	}
	text, err := json.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestValueSchemas(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	add(t, compiler, "document", decoded(t))
	for _, test := range []struct{ schema, good, bad string }{
		{"Duration", "0s 1.5s 15s 0.000000001s", "-1s 1 s .5s 1m 1.0000000001s"},
		{"HeartbeatInterval", "5s 5.5s 9s 10s 59.999s 60s 60.000s", "-5s -15s 4s 4.999s 60.001s 61s 100s 500s 5 5m"},
		{"GrpcTimeout", "10S 1H 99999999n", "10s -1S 123456789S S"},
		{"Id", "a part_1 call:1 ... .a a. ..a a..b ü %2F ?", ". .. a/b /a ./ ../a a\\b \\ a\x00b a\x7f a\u0085"},
	} {
		schema, err := compiler.Compile("document#/components/schemas/" + test.schema)
		if err != nil {
			t.Fatal(err)
		}
		for good := range strings.SplitSeq(test.good, " ") {
			if err := schema.Validate(good); err != nil {
				t.Errorf("%s %q: %v", test.schema, good, err)
			}
		}
		for bad := range strings.SplitSeq(test.bad, " ") {
			if schema.Validate(bad) == nil {
				t.Errorf("%s accepts %q", test.schema, bad)
			}
		}
	}
}

func TestLengthsOfIDs(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	add(t, compiler, "document", decoded(t))
	schema, err := compiler.Compile("document#/components/schemas/Id")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(strings.Repeat("ü", 128)); err != nil {
		t.Error(err)
	}
	if schema.Validate("") == nil || schema.Validate(strings.Repeat("a", 129)) == nil {
		t.Error("an id of 0 or 129 characters passes")
	}
}

// TestStreamMessageSchema checks that a message has one event, or only an error.
func TestStreamMessageSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	add(t, compiler, "document", decoded(t))
	schema, err := compiler.Compile("document#/components/schemas/WatchParticipantsResponse")
	if err != nil {
		t.Fatal(err)
	}
	end := map[string]any{"reason": "conference_gone"}
	failure := map[string]any{"code": 503, "status": "UNAVAILABLE", "message": "", "details": []any{map[string]any{"@type": "other"}}}
	for _, test := range []struct {
		message map[string]any
		good    bool
	}{
		{map[string]any{"resume_token": "t", "end": end}, true},
		{map[string]any{"error": failure}, true},
		{map[string]any{"end": end}, false},
		{map[string]any{"resume_token": "t"}, false},
		{map[string]any{"resume_token": "t", "error": failure}, false},
	} {
		if err := schema.Validate(test.message); (err == nil) != test.good {
			t.Errorf("%v: %v, want good = %t", test.message, err, test.good)
		}
	}
}

func TestExamplesMatchTheirSchemas(t *testing.T) {
	document := decoded(t)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	add(t, compiler, "document", document)
	checked := 0
	check := func(address string, example any) {
		schema, err := compiler.Compile("document#" + address)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(example); err != nil {
			t.Errorf("an example at %s: %v", address, err)
		}
		checked++
	}
	for name, schema := range at[map[string]any](t, document, "components", "schemas") {
		address := "/components/schemas/" + name
		for _, example := range listAt(schema, "examples") {
			check(address, example)
		}
		properties, _ := schema.(map[string]any)["properties"].(map[string]any)
		for property, of := range properties {
			for _, example := range listAt(of, "examples") {
				check(address+"/properties/"+property, example)
			}
		}
	}
	stream := at[map[string]any](t, document, "paths", watch, "get", "responses", "200", "content", "text/event-stream")
	check("/components/schemas/WatchParticipantsResponse", stream["example"])
	body := at[map[string]any](t, document, "paths", participants, "post", "requestBody", "content", "application/json")
	check("/components/schemas/AddParticipantRequest", body["example"])
	if checked < 15 {
		t.Errorf("only %d examples were checked", checked)
	}
}

func listAt(schema any, name string) []any {
	list, _ := schema.(map[string]any)[name].([]any)
	return list
}
