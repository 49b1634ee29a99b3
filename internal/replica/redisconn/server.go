package redisconn

import (
	"fmt"
	"strconv"
	"strings"
)

// server is what the INFO of a Redis says.
type server struct{ fields map[string]string }

func parseInfo(texts ...string) server {
	s := server{fields: map[string]string{}}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				s.fields[name] = value
			}
		}
	}
	return s
}

func (s server) runID() string { return s.fields["run_id"] }

// replicas returns how many replicas have the data and follow. One that has not acknowledged anything
// yet, which takes up to a second, would make a mark wait in vain.
func (s server) replicas() (n int) {
	for name, value := range s.fields {
		if strings.HasPrefix(name, "slave") && strings.Contains(value, "state=online") && !strings.Contains(value, "offset=0,") {
			n++
		}
	}
	return n
}

// version returns the name and version for logs.
func (s server) version() string {
	if version := s.fields["valkey_version"]; version != "" {
		return "Valkey " + version
	}
	return "Redis " + s.fields["redis_version"]
}

// unfit is why the gateway cannot use a Redis that answers.
type unfit string

// Error completes "Redis …".
func (u unfit) Error() string { return string(u) }

// minVersion is the first version whose scripts may write after they have read the time.
const minVersion = 7

// check returns why the gateway cannot use this server.
func (s server) check() error {
	text, _, _ := strings.Cut(s.fields["redis_version"], ".")
	major, _ := strconv.Atoi(text)
	switch {
	case s.fields["redis_mode"] == "sentinel":
		return unfit("is a Sentinel: its URL needs the parameter master_name")
	case s.fields["redis_mode"] == "cluster":
		return unfit("is a node of Redis Cluster, which is not supported")
	case s.runID() == "":
		return unfit("does not report its run_id")
	case major < minVersion:
		return unfit(fmt.Sprintf("is %s: the gateway needs Redis %d or newer, or Valkey", s.version(), minVersion))
	case s.fields["role"] == "slave":
		return unfit("is a read-only replica of another Redis")
	default:
		return nil
	}
}
