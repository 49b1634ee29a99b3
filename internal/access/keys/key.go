package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Hash is the hash of a key in the file. A key is 256 random bits, so a dictionary attack
// is impossible, and a slow hash would only slow down each call.
type Hash [sha256.Size]byte

// HashOf returns the hash of a key.
func HashOf(key string) Hash { return sha256.Sum256([]byte(key)) }

// prefix identifies keys, also for scanners for leaked secrets.
const prefix = "pgk_"

// newKey returns a key with 256 random bits.
func newKey() string {
	var random [32]byte
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(random[:])
	return prefix + base64.RawURLEncoding.EncodeToString(random[:])
}
