package feed

// BreakRoster leaves the feed as a panic during a list does.
func (f *Feed) BreakRoster() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applying = true
}
