// Package protooptions links the definitions of the options that the service's proto uses: the
// validation rules and the HTTP routes. The package of the messages does not import them, so that
// clients do not depend on them.
//
// Each package that reads descriptors of the service while it is initialized, and each that
// reads their options, imports this one. A descriptor that is read before keeps placeholders
// for the files that define its options.
package protooptions

import (
	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate" // The rules of fields.
	_ "google.golang.org/genproto/googleapis/api/annotations"                   // HTTP routes and field behaviour.
)
