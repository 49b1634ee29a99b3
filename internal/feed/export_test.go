package feed

// BreakRoster leaves the feed as a panic amid a list does.
func (f *Feed) BreakRoster() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.folding = true
}
