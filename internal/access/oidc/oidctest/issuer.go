// Package oidctest plays an OpenID Connect issuer for tests: it describes itself, shows
// its keys, changes them, signs tokens, and goes down when told.
package oidctest

import (
	"cmp"
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
	"github.com/go-json-experiment/json/jsontext"
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
	// name is what the issuer calls itself, its URL unless set.
	name string
	// amend changes the public form of its keys.
	amend func(key map[string]any)
	// others are published beside its own keys.
	others []any
	// body, where set, is answered in place of the keys.
	body string
	// held, where set, delays every answer until it is closed.
	held chan struct{}
}

// New returns an issuer with one key, of RS256. Close it.
func New() *Issuer {
	i := &Issuer{newest: "RS256-first", keys: map[string]crypto.Signer{"RS256-first": firstKey()}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, map[string]any{
			"issuer": i.calledName(), "jwks_uri": i.URL() + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		if body := i.keysBody(); body != "" {
			i.answer(w, jsontext.Value(body))
			return
		}
		i.answer(w, map[string]any{"keys": i.shown()})
	})
	i.server = httptest.NewServer(mux)
	return i
}

// firstKey is that of every issuer: to make one of RSA takes long.
var firstKey = sync.OnceValue(func() crypto.Signer { return generate("RS256") })

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

// SetName has the issuer call itself by another name than its URL.
func (i *Issuer) SetName(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.name = name
}

// Amend has the issuer publish its keys as a function changes them.
func (i *Issuer) Amend(change func(key map[string]any)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.amend = change
}

// Publish has the issuer publish other values before its own keys.
func (i *Issuer) Publish(keys ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.others = keys
}

// SetKeysBody has the issuer answer this in place of its keys, or its keys again.
func (i *Issuer) SetKeysBody(body string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.body = body
}

// Hold has the issuer answer nothing until it is released.
func (i *Issuer) Hold() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held := make(chan struct{})
	i.held = held
	return sync.OnceFunc(func() {
		close(held)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.held = nil
	})
}

// Answer is what the issuer answers to a request, without a connection.
func (i *Issuer) Answer(request *http.Request) (status int, body []byte) {
	recorder := httptest.NewRecorder()
	i.server.Config.Handler.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.Bytes()
}

func (i *Issuer) calledName() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return cmp.Or(i.name, i.URL())
}

func (i *Issuer) keysBody() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.body
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
	down, held := i.down, i.held
	i.mu.Unlock()
	if held != nil {
		<-held
	}
	if down {
		http.Error(w, "<html>down for maintenance</html>", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if raw, isRaw := body.(jsontext.Value); isRaw {
		_, _ = w.Write(raw) // The client may have left.
		return
	}
	if err := json.MarshalWrite(w, body); err != nil {
		panic(err)
	}
}

// shown are the public keys.
func (i *Issuer) shown() []any {
	i.mu.Lock()
	defer i.mu.Unlock()
	shown := slices.Clone(i.others)
	for id, key := range i.keys {
		public := map[string]any{"kid": id, "use": "sig"}
		maps.Copy(public, publicOf(key))
		if i.amend != nil {
			i.amend(public)
		}
		shown = append(shown, public)
	}
	return shown
}

func publicOf(key crypto.Signer) map[string]any {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": encode(public.N.Bytes()), "e": encode(big.NewInt(int64(public.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(public)}
	default:
		panic(fmt.Sprintf("no public form of %T", public))
	}
}

// Token signs claims with the newest key. Those that every token has are added where
// they are not among them: one that is nil is left out.
func (i *Issuer) Token(claims Claims) string { return i.TokenWith(nil, claims) }

// TokenWith is a Token whose header holds other values; one that is nil is left out.
func (i *Issuer) TokenWith(header map[string]any, claims Claims) string {
	i.mu.Lock()
	id := i.newest
	key := i.keys[id]
	i.mu.Unlock()
	head := map[string]any{"kid": id, "typ": "JWT", "alg": algorithmOf(key)}
	maps.Copy(head, header)
	maps.DeleteFunc(head, func(_ string, value any) bool { return value == nil })
	return i.token(head, claims, signer(key))
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
		return i.token(map[string]any{"alg": "none", "kid": id}, claims, func([]byte) []byte { return nil })
	case "HS256":
		return i.token(map[string]any{"alg": "HS256", "kid": id}, claims, func(text []byte) []byte {
			hash := hmac.New(sha256.New, []byte(public))
			hash.Write(text)
			return hash.Sum(nil)
		})
	case "unknown key":
		key := generate("EdDSA")
		return i.token(map[string]any{"alg": "EdDSA", "kid": rand.Text()}, claims, signer(key))
	default:
		key := generate("RS256")
		return i.token(map[string]any{"alg": "RS256", "kid": id}, claims, signer(key))
	}
}

func (i *Issuer) token(head map[string]any, claims Claims, sign func([]byte) []byte) string {
	now := time.Now()
	said := Claims{"iss": i.calledName(), "aud": Audience, "sub": "somebody", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
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
