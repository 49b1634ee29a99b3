// Package oidctest plays an OpenID Connect issuer for tests: it describes itself, shows
// its keys, changes them, signs tokens, and goes down when told.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// Audience is whom the issuer's tokens are for, unless told.
const Audience = "gateway"

// Claims are what a token says.
type Claims map[string]any

// Issuer is an issuer on loopback.
type Issuer struct {
	server *httptest.Server

	mu       sync.Mutex
	keys     map[string]crypto.Signer
	newest   string
	down     bool
	requests int
}

// New returns an issuer with one key, of RS256. Close it.
func New() *Issuer {
	i := &Issuer{keys: map[string]crypto.Signer{}}
	i.Rotate("RS256")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, map[string]any{
			"issuer": i.URL(), "jwks_uri": i.URL() + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, map[string]any{"keys": i.shown()})
	})
	i.server = httptest.NewServer(mux)
	return i
}

// Close ends the issuer.
func (i *Issuer) Close() { i.server.Close() }

// URL is the issuer's name.
func (i *Issuer) URL() string { return i.server.URL }

// SetDown has the issuer answer 503, or no longer.
func (i *Issuer) SetDown(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

// Requests is how often the issuer was asked.
func (i *Issuer) Requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests
}

// Rotate puts a new key, of RS256, ES256 or EdDSA, in place of all.
func (i *Issuer) Rotate(algorithm string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.newest = algorithm + "-" + rand.Text()
	i.keys = map[string]crypto.Signer{i.newest: generate(algorithm)}
}

func generate(algorithm string) (key crypto.Signer) {
	var err error
	switch algorithm {
	case "RS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		panic(err)
	}
	return key
}

func (i *Issuer) answer(w http.ResponseWriter, body any) {
	i.mu.Lock()
	i.requests++
	down := i.down
	i.mu.Unlock()
	if down {
		http.Error(w, "<html>down for maintenance</html>", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.MarshalWrite(w, body); err != nil {
		panic(err)
	}
}

// shown are the public keys.
func (i *Issuer) shown() []map[string]string {
	i.mu.Lock()
	defer i.mu.Unlock()
	shown := make([]map[string]string, 0, len(i.keys))
	for id, key := range i.keys {
		public := map[string]string{"kid": id, "use": "sig"}
		maps.Copy(public, publicOf(key))
		shown = append(shown, public)
	}
	return shown
}

func publicOf(key crypto.Signer) map[string]string {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		return map[string]string{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": encode(public)}
	default:
		panic(fmt.Sprintf("no public form of %T", public))
	}
}

// Token signs claims with the newest key. Those that every token has are added where
// they are not among them: one that is nil is left out.
func (i *Issuer) Token(claims Claims) string {
	i.mu.Lock()
	id := i.newest
	key := i.keys[id]
	i.mu.Unlock()
	head, signature := map[string]string{"kid": id, "typ": "JWT", "alg": algorithmOf(key)}, signer(key)
	return i.token(head, claims, signature)
}

// Forged is a token as an attacker would make it: signed with none, or with HS256 by
// what everybody knows, the public key; or under a key id that is made up.
func (i *Issuer) Forged(how string, claims Claims) string {
	i.mu.Lock()
	id := i.newest
	public := encode([]byte(fmt.Sprint(i.keys[id].Public())))
	i.mu.Unlock()
	switch how {
	case "none":
		return i.token(map[string]string{"alg": "none", "kid": id}, claims, func([]byte) []byte { return nil })
	case "HS256":
		return i.token(map[string]string{"alg": "HS256", "kid": id}, claims, func(text []byte) []byte {
			hash := hmac.New(sha256.New, []byte(public))
			hash.Write(text)
			return hash.Sum(nil)
		})
	case "unknown key":
		key := generate("EdDSA")
		return i.token(map[string]string{"alg": "EdDSA", "kid": rand.Text()}, claims, signer(key))
	default:
		key := generate("RS256")
		return i.token(map[string]string{"alg": "RS256", "kid": id}, claims, signer(key))
	}
}

func (i *Issuer) token(head map[string]string, claims Claims, sign func([]byte) []byte) string {
	now := time.Now()
	said := Claims{"iss": i.URL(), "aud": Audience, "sub": "somebody", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(said, claims)
	maps.DeleteFunc(said, func(_ string, value any) bool { return value == nil })
	text := encode(marshal(head)) + "." + encode(marshal(said))
	return text + "." + encode(sign([]byte(text)))
}

func marshal(value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return encoded
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func algorithmOf(key crypto.Signer) string {
	switch key.(type) {
	case *rsa.PrivateKey:
		return "RS256"
	case *ecdsa.PrivateKey:
		return "ES256"
	default:
		return "EdDSA"
	}
}

func signer(key crypto.Signer) func([]byte) []byte {
	return func(text []byte) []byte {
		digest := sha256.Sum256(text)
		var signature []byte
		var err error
		switch key := key.(type) {
		case *ecdsa.PrivateKey:
			r, s, failure := ecdsa.Sign(rand.Reader, key, digest[:])
			err = failure
			if err == nil {
				signature = slices.Concat(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))
			}
		case ed25519.PrivateKey:
			signature = ed25519.Sign(key, text)
		default:
			signature, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
		}
		if err != nil {
			panic(err)
		}
		return signature
	}
}
