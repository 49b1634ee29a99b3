package upstream

import "time"

// assumedWant is the interval that a new source is assumed to want.
const assumedWant = time.Second

// fairIntervalTTL bounds the age of a cached interval: the rate changes although no source
// does.
const fairIntervalTTL = 100 * time.Millisecond

// cachedInterval caches the result of fairInterval, which reads every source and is called
// for each.
type cachedInterval struct {
	interval time.Duration
	until    time.Time
}

// invalidate drops the cached interval.
func (f *cachedInterval) invalidate() { f.until = time.Time{} }

// at returns the interval at a time. The budget's lock is held.
func (f *cachedInterval) at(now time.Time, b *budget) time.Duration {
	if !now.Before(f.until) {
		f.interval, f.until = fairInterval(b.allSources(), b.rate.sustained(now)), now.Add(fairIntervalTTL)
	}
	return f.interval
}

// fairInterval returns the interval between the lists of each source that must list more
// slowly than it wants at a given rate; zero if the rate is enough for all sources.
//
// Sources that want less than a fair share get what they want. The others share the rest
// evenly: the sum of pages/max(want, interval) is the rate. Each round removes from the others
// those that want less, until none is left to remove.
func fairInterval(sources []*Source, rate float64) time.Duration {
	total := 0.0
	for _, s := range sources {
		total += float64(s.pages)
	}
	interval := total / rate
	for {
		pages, left := 0.0, rate
		for _, s := range sources {
			if want := s.minInterval().Seconds(); want < interval {
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
