package write

import "time"

// ttlMap is a map that forgets: an entry goes when it is older than ttl, the oldest
// ones when there are more than limit.
type ttlMap[K comparable, V any] struct {
	ttl    time.Duration
	limit  int
	values map[K]V
	// ages are the keys in the order in which they came.
	ages []age[K]
}

type age[K comparable] struct {
	key K
	at  time.Time
}

func newTTLMap[K comparable, V any](ttl time.Duration, limit int) ttlMap[K, V] {
	return ttlMap[K, V]{ttl: ttl, limit: limit, values: make(map[K]V)}
}

// get returns what is still remembered under key.
func (r *ttlMap[K, V]) get(key K, now time.Time) (V, bool) {
	r.forget(now)
	value, found := r.values[key]
	return value, found
}

// put remembers value under key. A key that is there already keeps its age.
func (r *ttlMap[K, V]) put(key K, value V, now time.Time) {
	r.forget(now)
	if _, found := r.values[key]; !found {
		r.ages = append(r.ages, age[K]{key, now})
	}
	r.values[key] = value
	for len(r.ages) > r.limit {
		r.drop()
	}
}

func (r *ttlMap[K, V]) forget(now time.Time) {
	for len(r.ages) > 0 && now.Sub(r.ages[0].at) >= r.ttl {
		r.drop()
	}
}

// drop forgets the oldest entry.
func (r *ttlMap[K, V]) drop() {
	delete(r.values, r.ages[0].key)
	r.ages = r.ages[1:]
}
