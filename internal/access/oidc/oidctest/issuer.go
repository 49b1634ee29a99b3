// Package oidctest is an OpenID Connect issuer for tests: it serves the discovery document
// and its keys, rotates them, signs tokens, and fails on request.
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

// Audience is the default audience of the tokens.
const Audience = "gateway"

// Claims are the claims of a token.
type Claims map[string]any

// Issuer is an issuer on loopback.
type Issuer struct {
	server *httptest.Server

	mu       sync.Mutex
	keys     map[string]crypto.Signer
	newest   string
	down     bool
	requests int
	// name is the issuer in tokens and in the discovery document, its URL by default.
	name string
	// modify changes the published keys.
	modify func(key map[string]any)
	// extraKeys are published before the issuer's own keys.
	extraKeys []any
	// body replaces the published keys, if it is not empty.
	body string
	// blocked delays every response until it is closed, if it is not nil.
	blocked chan struct{}
}

// New returns an issuer with one key, of RS256. Close it.
func New() *Issuer {
	i := &Issuer{newest: "RS256-first", keys: map[string]crypto.Signer{"RS256-first": firstKey()}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, map[string]any{
			"issuer": i.issuerName(), "jwks_uri": i.URL() + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		if body := i.keysBody(); body != "" {
			i.answer(w, jsontext.Value(body))
			return
		}
		i.answer(w, map[string]any{"keys": i.publishedKeys()})
	})
	i.server = httptest.NewServer(mux)
	return i
}

// firstKey is the first key of every issuer, since generating an RSA key is slow.
var firstKey = sync.OnceValue(func() crypto.Signer { return generate("RS256") })

// Close stops the issuer.
func (i *Issuer) Close() { i.server.Close() }

// URL returns the URL of the issuer.
func (i *Issuer) URL() string { return i.server.URL }

// SetDown makes the issuer answer 503, or ends that.
func (i *Issuer) SetDown(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

// SetName gives the issuer another name than its URL.
func (i *Issuer) SetName(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.name = name
}

// ModifyKeys applies a function to the published keys.
func (i *Issuer) ModifyKeys(change func(key map[string]any)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.modify = change
}

// PublishExtra publishes other values before the issuer's own keys.
func (i *Issuer) PublishExtra(keys ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.extraKeys = keys
}

// SetKeysBody replaces the published keys by a body; empty publishes the keys again.
func (i *Issuer) SetKeysBody(body string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.body = body
}

// BlockResponses delays all responses until it is released.
func (i *Issuer) BlockResponses() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	blocked := make(chan struct{})
	i.blocked = blocked
	return sync.OnceFunc(func() {
		close(blocked)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.blocked = nil
	})
}

// Answer returns the response to a request, without a connection.
func (i *Issuer) Answer(request *http.Request) (status int, body []byte) {
	recorder := httptest.NewRecorder()
	i.server.Config.Handler.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.Bytes()
}

func (i *Issuer) issuerName() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return cmp.Or(i.name, i.URL())
}

func (i *Issuer) keysBody() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.body
}

// Requests returns the number of requests.
func (i *Issuer) Requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests
}

// Rotate replaces all keys by a new one, for RS256, ES256 or EdDSA.
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
	down, blocked := i.down, i.blocked
	i.mu.Unlock()
	if blocked != nil {
		<-blocked
	}
	if down {
		http.Error(w, "<html>down for maintenance</html>", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if raw, isRaw := body.(jsontext.Value); isRaw {
		_, _ = w.Write(raw) // The client may have disconnected.
		return
	}
	if err := json.MarshalWrite(w, body); err != nil {
		panic(err)
	}
}

// publishedKeys returns the public keys.
func (i *Issuer) publishedKeys() []any {
	i.mu.Lock()
	defer i.mu.Unlock()
	published := slices.Clone(i.extraKeys)
	for id, key := range i.keys {
		public := map[string]any{"kid": id, "use": "sig"}
		maps.Copy(public, publicOf(key))
		if i.modify != nil {
			i.modify(public)
		}
		published = append(published, public)
	}
	return published
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

// Token signs claims with the newest key. It adds the default claims that are missing, and
// omits claims that are nil.
func (i *Issuer) Token(claims Claims) string { return i.TokenWith(nil, claims) }

// TokenWith is Token with other header values; it omits values that are nil.
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

// ForgedToken returns an attacker's token: without a signature ("none"), signed with the
// public key ("HS256"), under an invented key id ("unknown key"), or with another key
// under the right key id.
func (i *Issuer) ForgedToken(how string, claims Claims) string {
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
	all := Claims{"iss": i.issuerName(), "aud": Audience, "sub": "caller-1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	text := encode(marshal(head)) + "." + encode(marshal(all))
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
