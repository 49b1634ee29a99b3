package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi/datamodel"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	protoDir  = "../../proto"
	committed = "../../gen/openapi/openapi.json"
)

func generated(t *testing.T) []byte {
	t.Helper()
	document, err := makeDocument(t.Context(), protoDir)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestCommittedDocumentIsUpToDate(t *testing.T) {
	want, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(generated(t), want) {
		t.Error("gen/openapi/openapi.json does not match the proto: run make generate")
	}
}

func TestDocumentIsDeterministic(t *testing.T) {
	if !bytes.Equal(generated(t), generated(t)) {
		t.Error("two documents of one proto differ")
	}
}

func TestGenerateWritesDocumentAndPackage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "openapi")
	if err := generate(t.Context(), protoDir, dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"openapi.json", "openapi.go"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if err := generate(t.Context(), t.TempDir(), dir); err == nil {
		t.Error("no error for a folder without the proto")
	}
}

// TestDocumentIsOpenAPI31 validates the document against the OpenAPI Initiative's schema, and
// its schemas against JSON Schema 2020-12.
func TestDocumentIsOpenAPI31(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(datamodel.OpenAPI31SchemaData))
	if err != nil {
		t.Fatal(err)
	}
	document := decoded(t)
	compiler := jsonschema.NewCompiler()
	add(t, compiler, "https://spec.openapis.org/oas/3.1/schema", schema)
	add(t, compiler, "document", document)
	rules, err := compiler.Compile("https://spec.openapis.org/oas/3.1/schema")
	if err != nil {
		t.Fatal(err)
	}
	if err := rules.Validate(document); err != nil {
		t.Errorf("not a valid OpenAPI 3.1 document: %v", err)
	}
	for name := range at[map[string]any](t, document, "components", "schemas") {
		if _, err := compiler.Compile("document#/components/schemas/" + name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
}

func add(t *testing.T, compiler *jsonschema.Compiler, url string, document any) {
	t.Helper()
	if err := compiler.AddResource(url, document); err != nil {
		t.Fatal(err)
	}
}

func decoded(t *testing.T) any {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(generated(t)))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// at returns the value at a path of the document.
func at[V any](t *testing.T, document any, path ...string) V {
	t.Helper()
	for _, step := range path {
		object, _ := document.(map[string]any)
		document = object[step]
	}
	value, ok := document.(V)
	if !ok {
		t.Fatalf("%s is %T, want %T", strings.Join(path, "/"), document, value)
	}
	return value
}

// TestEveryReasonIsDocumented compares the table with the constants in package apierror.
func TestEveryReasonIsDocumented(t *testing.T) {
	documented := map[string]bool{
		"POLL_DELAYED":    true, // A reason of staleness, not of an error.
		"ROUTE_NOT_FOUND": true, // It is returned outside of the operations.
	}
	for _, one := range reasons {
		documented[string(one.name)] = true
	}
	source, err := parser.ParseFile(token.NewFileSet(), "../../internal/apierror/reasons.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(source, func(node ast.Node) bool {
		constant, isValue := node.(*ast.ValueSpec)
		if !isValue {
			return true
		}
		if kind, named := constant.Type.(*ast.Ident); !named || kind.Name != "Reason" {
			return true
		}
		word, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if !documented[word] {
			t.Errorf("the reason %s is missing in reasons", word)
		}
		return true
	})
	if found < len(reasons) {
		t.Errorf("found %d reasons in the source, fewer than the %d documented", found, len(reasons))
	}
}
