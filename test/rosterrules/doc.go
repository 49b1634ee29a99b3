// Package rosterrules compares the roster with a reference implementation of W5 to W7 and A8: a
// short one for each id, which keeps all that it was given and looks at it again for each decision.
// Lists, writes and controls come in any order. All code is in tests; this file lets the package build.
package rosterrules
