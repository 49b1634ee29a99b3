package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Hash is what the file holds of a key. A plain hash is enough, and a slow one would
// only slow each call: a key is 256 random bits, so there is no dictionary of keys to
// try against the file.
type Hash [sha256.Size]byte

// HashOf hashes a key as it is presented.
func HashOf(key string) Hash { return sha256.Sum256([]byte(key)) }

// prefix tells a key from other secrets, in a scanner for leaked ones too.
const prefix = "pgk_"

// newKey makes a key of 256 random bits.
func newKey() string {
	var random [32]byte
	// Read never fails: the runtime ends the process instead.
	_, _ = rand.Read(random[:])
	return prefix + base64.RawURLEncoding.EncodeToString(random[:])
}
