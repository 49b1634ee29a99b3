// Package openapitest checks HTTP responses against the OpenAPI document, for tests.
package openapitest

import (
	"bytes"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/audian/participant-gateway/gen/openapi"
)

// Document checks responses against the OpenAPI document. It is stricter than clients must
// be: it refuses a member that the document does not describe.
type Document struct {
	content  any
	compiler *jsonschema.Compiler
}

const resource = "openapi.json"

// Load returns the document that the service serves.
func Load() (*Document, error) {
	content, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapi.Document))
	if err != nil {
		return nil, fmt.Errorf("decode the document: %w", err)
	}
	tighten(content)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(resource, content); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	return &Document{content: content, compiler: compiler}, nil
}

// conditional are the keywords whose schemas describe only a part of an object.
var conditional = []string{"if", "then", "else", "oneOf"}

// tighten makes every schema of an object refuse what it does not describe.
func tighten(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, isObject := node["properties"].(map[string]any); isObject && node["additionalProperties"] == nil {
			node["additionalProperties"] = false
		}
		for name, below := range node {
			if !slices.Contains(conditional, name) {
				tighten(below)
			}
		}
	case []any:
		for _, below := range node {
			tighten(below)
		}
	}
}

// Check returns an error if the document does not describe a response of a method and path:
// its status, content type or body. It checks each line of NDJSON and the data of each
// server-sent event against the schema.
func (d *Document) Check(method, path string, status int, contentType string, body []byte) error {
	where, err := d.response(method, path, status)
	if err != nil {
		return err
	}
	content, described := d.at(append(where, "content")...).(map[string]any)
	if !described {
		if contentType != "" || len(body) > 0 {
			return fmt.Errorf("%s %s: %d has a body of type %q, and none is described", method, path, status, contentType)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || content[media] == nil {
		return fmt.Errorf("%s %s: the content type %q of %d is not described", method, path, contentType, status)
	}
	schema, err := d.compiler.Compile(pointer(append(where, "content", media, "schema")))
	if err != nil {
		return fmt.Errorf("%s %s: compile the schema of %d: %w", method, path, status, err)
	}
	for _, text := range texts(media, body) {
		if err := validate(schema, text); err != nil {
			return fmt.Errorf("%s %s: %d: %w\n%s", method, path, status, err, text)
		}
	}
	return nil
}

func validate(schema *jsonschema.Schema, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	return nil
}

// response returns the place of a response in the document. An exact status has precedence
// over a range such as 4XX.
func (d *Document) response(method, path string, status int) ([]string, error) {
	template, found := d.template(path)
	where := []string{"paths", template, strings.ToLower(method), "responses"}
	responses, known := d.at(where...).(map[string]any)
	if !found || !known {
		return nil, fmt.Errorf("%s %s is not described", method, path)
	}
	exact := strconv.Itoa(status)
	for _, key := range []string{exact, exact[:1] + "XX"} {
		if responses[key] != nil {
			return append(where, key), nil
		}
	}
	return nil, fmt.Errorf("%s %s: the status %d is not described", method, path, status)
}

var parameter = regexp.MustCompile(`\\\{[a-z_]+\\\}`)

// template returns the path template of a path.
func (d *Document) template(path string) (template string, found bool) {
	paths, _ := d.at("paths").(map[string]any)
	for template := range paths {
		pattern := parameter.ReplaceAllString(regexp.QuoteMeta(template), "[^/]+")
		if regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			return template, true
		}
	}
	return "", false
}

// at returns the node at a path of the document; nil if there is none.
func (d *Document) at(path ...string) any {
	node := d.content
	for _, step := range path {
		object, _ := node.(map[string]any)
		node = object[step]
	}
	return node
}

// pointer returns a path of the document as a URL with a JSON pointer.
func pointer(path []string) string {
	var address strings.Builder
	address.WriteString(resource + "#")
	for _, step := range path {
		address.WriteString("/" + url.PathEscape(escape.Replace(step)))
	}
	return address.String()
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")
