package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/audian/participant-gateway/internal/config"
)

// listen opens the three ports.
func (s *Server) listen() error {
	for _, port := range []struct {
		flag, address string
		listener      *net.Listener
	}{
		{"--grpc-addr", s.config.Listen.GRPC, &s.listeners.grpc},
		{"--http-addr", s.config.Listen.HTTP, &s.listeners.http},
		{"--admin-addr", s.config.Listen.Admin, &s.listeners.admin},
	} {
		listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", port.address)
		if err != nil {
			return listenError(port.flag, port.address, err)
		}
		*port.listener = listener
	}
	return nil
}

// listenError returns a configuration error where the address does not belong to this machine.
// It is an ordinary error that another process uses the port.
func listenError(flag, address string, err error) error {
	_, unresolved := errors.AsType[*net.DNSError](err)
	switch {
	case unresolved || errors.Is(err, syscall.EADDRNOTAVAIL):
		return config.UsageError(fmt.Errorf("%s: %w", flag, err))
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %s is in use by %s; stop it, or choose another address with %s or %s",
			flag, address, listenerOf(err), flag, variableOf(flag))
	default:
		return fmt.Errorf("%s: %w", flag, err)
	}
}

// listenerOf describes the process that listens on the port of an error of Listen.
func listenerOf(err error) string {
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		if address, isTCP := failed.Addr.(*net.TCPAddr); isTCP {
			if owner := portOwner(address.Port); owner != "" {
				return owner
			}
		}
	}
	return "another process"
}

// variableOf returns the variable of a flag of a listener.
func variableOf(flag string) string {
	return "GATEWAY_" + strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_"))
}
