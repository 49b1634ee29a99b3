package server

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// portOwner describes the process that listens on a TCP port, such as "process 4711 (nginx)". It returns
// the empty string if there is none that this user may see.
func portOwner(port int) string {
	sockets := listening(port)
	if len(sockets) == 0 {
		return ""
	}
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, descriptor := range descriptors {
		if target, err := os.Readlink(descriptor); err != nil || !sockets[target] {
			continue
		}
		process := filepath.Dir(filepath.Dir(descriptor))
		name, _ := os.ReadFile(filepath.Join(process, "comm")) //nolint:gosec // The path is below /proc.
		return fmt.Sprintf("process %s (%s)", filepath.Base(process), strings.TrimSpace(string(name)))
	}
	return ""
}

// listening returns the sockets that listen on a port, in the form of their links in /proc.
func listening(port int) map[string]bool {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		file, err := os.Open(table) //nolint:gosec // The path is a constant.
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			// sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode
			const localAddress, state, inode = 1, 3, 9
			const listen = "0A"
			fields := strings.Fields(lines.Text())
			if len(fields) > inode && fields[state] == listen && strings.HasSuffix(fields[localAddress], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+fields[inode]+"]"] = true
			}
		}
		_ = file.Close() // It was only read.
	}
	return sockets
}
