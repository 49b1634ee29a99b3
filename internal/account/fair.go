package account

import "time"

// assumedWant is what a source wants that has not said so yet.
const assumedWant = time.Second

// fair is the interval that the sources' lists come at which must come more slowly than
// they want, given a rate; zero where the rate suffices for all.
//
// Who wants less than a fair share gets it; what is left is shared evenly by the others:
// the sum of pages/max(want, fair) is the rate. Starting with everybody among those
// others, each round excuses some, until none is left to excuse.
func (b *budget) fair(rate float64) time.Duration {
	everybody := 0.0
	for _, s := range b.sources {
		everybody += float64(s.pages)
	}
	interval := everybody / rate
	for {
		pages, left := 0.0, rate
		for _, s := range b.sources {
			if want := s.want.Seconds(); want < interval {
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
