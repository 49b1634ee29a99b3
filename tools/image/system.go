package main

import (
	"bytes"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user of the process; the number is that of other images without root.
const (
	user   = "65532"
	passwd = "root:x:0:0:root:/:/sbin/nologin\ngateway:x:" + user + ":" + user + ":gateway:/:/sbin/nologin\n"
	group  = "root:x:0:\ngateway:x:" + user + ":\n"
)

// systemFiles are the files that the gateway needs beside its binary. It works in UTC, so time zones are not among them.
func systemFiles() ([]file, error) {
	authorities, err := authorities()
	if err != nil {
		return nil, err
	}
	return []file{
		{name: "etc/group", mode: 0o644, content: []byte(group)},
		{name: "etc/passwd", mode: 0o644, content: []byte(passwd)},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities},
	}, nil
}

// authorities returns Mozilla's root certificates (PEM), which the Go project publishes as a module: so they are pinned like
// all other inputs. Roots that Mozilla trusts only for some certificates are left out, because PEM cannot express that.
func authorities() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, fmt.Errorf("encode a root certificate: %w", err)
		}
	}
	return out.Bytes(), nil
}
