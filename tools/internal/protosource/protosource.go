// Package protosource reads the service's proto from its source, for tools that need the
// comments, which generated Go code does not contain.
package protosource

import (
	"context"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	_ "github.com/audian/participant-gateway/internal/protooptions" // Linked has typed options.
)

// Linked is the service's file in the generated code: with typed options, without comments.
var Linked protoreflect.FileDescriptor = v2.File_audian_conference_v2_participant_service_proto

// Read compiles the service's file, with its comments, from the proto module in dir. Imports
// are resolved from the Go packages that the service links.
func Read(ctx context.Context, dir string) (linker.File, error) {
	compiler := protocompile.Compiler{
		Resolver: protocompile.CompositeResolver{
			&protocompile.SourceResolver{ImportPaths: []string{dir}},
			protocompile.ResolverFunc(imported),
		},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, Linked.Path())
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", Linked.Path(), err)
	}
	return files[0], nil
}

// imported resolves an import. It does not resolve the service's file, whose linked version
// has no comments.
func imported(path string) (protocompile.SearchResult, error) {
	if path == Linked.Path() {
		return protocompile.SearchResult{}, protoregistry.NotFound
	}
	file, err := protoregistry.GlobalFiles.FindFileByPath(path)
	if err != nil {
		return protocompile.SearchResult{}, fmt.Errorf("find %s: %w", path, err)
	}
	return protocompile.SearchResult{Desc: file}, nil
}

// Comments are the comments of descriptors.
type Comments struct{ file linker.File }

// CommentsOf returns the comments of a file that Read has compiled.
func CommentsOf(file linker.File) Comments { return Comments{file} }

// Head returns the comment at the head of the file.
func (c Comments) Head() string {
	const syntaxField = 12 // Of google.protobuf.FileDescriptorProto.
	return text(c.file.SourceLocations().ByPath(protoreflect.SourcePath{syntaxField}))
}

// Of returns the comment of a linked or compiled descriptor; empty for none.
func (c Comments) Of(described protoreflect.Descriptor) string {
	compiled := c.file.FindDescriptorByName(described.FullName())
	if compiled == nil {
		return ""
	}
	return text(c.file.SourceLocations().ByDescriptor(compiled))
}

// text returns a comment as paragraphs without line breaks.
func text(location protoreflect.SourceLocation) string {
	paragraphs := strings.Split(strings.TrimSpace(location.LeadingComments), "\n\n")
	for i, paragraph := range paragraphs {
		paragraphs[i] = strings.Join(strings.Fields(paragraph), " ")
	}
	return strings.Join(paragraphs, "\n\n")
}
