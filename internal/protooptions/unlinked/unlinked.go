// Package unlinked is empty. The generated messages import it in place of the packages that define
// their options (buf.gen.yaml), so that a client's module needs neither protovalidate nor the
// Google APIs. Package protooptions links the real definitions into the server.
package unlinked
