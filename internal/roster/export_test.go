package roster

// ApplyEveryItem makes the next plan apply every item of its list, whether it is repeated or not.
func (r *Roster) ApplyEveryItem() {
	for _, t := range r.members {
		t.settledFrom = never
	}
}
