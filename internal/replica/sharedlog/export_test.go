package sharedlog

// NewVersion returns the logs of another format version, on the connection of l. Nothing runs
// for them.
func NewVersion(l *Logs, format string) *Logs {
	other := New(Options{Conn: l.conn, Replica: l.replica, Logger: l.logger, Observer: l.observer})
	other.prefix = l.conn.Key(format, "u1")
	return other
}
