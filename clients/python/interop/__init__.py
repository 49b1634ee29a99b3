"""The conformance program of both clients: commands on stdin, JSON lines on stdout."""
