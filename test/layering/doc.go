// Package layering tests the rules of ARCHITECTURE.md: which package may import which, which
// identifiers only some packages may use, and a reason for every dependency.
package layering
