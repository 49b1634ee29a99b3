package upstream

import "time"

// assumedWant is what a source wants that has not said so yet.
const assumedWant = time.Second

// fairFor is how long a fair interval is good for while no source changes: the rate
// changes by itself.
const fairFor = 100 * time.Millisecond

// fairInterval is the interval of [fair], kept for a moment: to find it takes a look at
// every source, and every source asks for it.
type fairInterval struct {
	interval time.Duration
	until    time.Time
}

// forget has the interval found anew.
func (f *fairInterval) forget() { f.until = time.Time{} }

// at is the interval now. The budget's lock is held.
func (f *fairInterval) at(now time.Time, b *budget) time.Duration {
	if !now.Before(f.until) {
		f.interval, f.until = fair(b.sources, b.rate.lasting(now)), now.Add(fairFor)
	}
	return f.interval
}

// fair is the interval that the sources' lists come at which must come more slowly than
// they want, given a rate; zero where the rate suffices for all.
//
// Whoever wants less than a fair share gets it; what is left is shared evenly by the
// others: the sum of pages/max(want, fair) is the rate. Starting with everybody among
// those others, each round excuses some, until none is left to excuse.
func fair(sources []*Source, rate float64) time.Duration {
	everybody := 0.0
	for _, s := range sources {
		everybody += float64(s.pages)
	}
	interval := everybody / rate
	for {
		pages, left := 0.0, rate
		for _, s := range sources {
			if want := s.least().Seconds(); want < interval {
				pages += float64(s.pages)
			} else {
				left -= float64(s.pages) / want
			}
		}
		if pages == 0 {
			return 0
		}
		narrower := pages / left
		if narrower >= interval {
			return time.Duration(interval * float64(time.Second))
		}
		interval = narrower
	}
}
