package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxKeys limits the signature checks of a token without a key id.
	maxKeys = 100
	// minRSABits is the minimum size of an RSA key (RFC 7518).
	minRSABits = 2048
	// ed25519Digits is the number of base64 digits of an Ed25519 key. go-jose pads shorter
	// keys, for which anyone may be able to sign.
	ed25519Digits = 43
)

// parseKeys parses a JWKS. It omits unusable keys, which do not affect the others.
func parseKeys(body []byte) (keys []jose.JSONWebKey, unusable []error, err error) {
	var set struct {
		Keys *[]jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(body, &set, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, nil, errors.New("the response is not a JSON Web Key Set")
	}
	if set.Keys == nil {
		return nil, nil, errors.New("the JSON Web Key Set has no keys member")
	}
	for number, raw := range *set.Keys {
		key, err := parseKey(raw)
		if err == nil && len(keys) == maxKeys {
			err = fmt.Errorf("more than %d keys", maxKeys)
		}
		if err != nil {
			unusable = append(unusable, fmt.Errorf("key %d: %w", number+1, err))
			continue
		}
		keys = append(keys, key)
	}
	return keys, unusable, nil
}

// parseKey parses one key, which must be public, strong enough, and for signatures with
// one of the algorithms.
func parseKey(raw []byte) (key jose.JSONWebKey, err error) {
	var purpose struct {
		Use        string    `json:"use"`
		Operations *[]string `json:"key_ops"`
		X          string    `json:"x"`
	}
	if err := json.Unmarshal(raw, &purpose); err != nil {
		return key, errors.New("is not a JSON Web Key")
	}
	if err := key.UnmarshalJSON(raw); err != nil {
		return key, fmt.Errorf("invalid key: %w", err)
	}
	isUsable := func(algorithm jose.SignatureAlgorithm) bool { return verifies(&key, algorithm) }
	rsaKey, isRSA := key.Key.(*rsa.PublicKey)
	_, isEd25519 := key.Key.(ed25519.PublicKey)
	switch {
	case !key.IsPublic():
		return key, errors.New("is not the public key of a key pair")
	case isRSA && rsaKey.N.BitLen() < minRSABits:
		return key, fmt.Errorf("has %d bits, not %d or more", rsaKey.N.BitLen(), minRSABits)
	case isEd25519 && len(strings.TrimRight(purpose.X, "=")) != ed25519Digits:
		return key, errors.New("has an x of a wrong length")
	case purpose.Use != "" && purpose.Use != "sig":
		return key, errors.New(`has a use other than "sig"`)
	case purpose.Operations != nil && !slices.Contains(*purpose.Operations, "verify"):
		return key, errors.New(`has key_ops without "verify"`)
	case !slices.ContainsFunc(algorithms, isUsable):
		return key, errors.New("has an alg that is not accepted, or of another type of key")
	}
	return key, nil
}

// verifies reports whether a key is for an algorithm.
func verifies(key *jose.JSONWebKey, algorithm jose.SignatureAlgorithm) bool {
	if key.Algorithm != "" && key.Algorithm != string(algorithm) {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(string(algorithm), "RS") || strings.HasPrefix(string(algorithm), "PS")
	case *ecdsa.PublicKey:
		return curves[algorithm] == public.Params().Name
	case ed25519.PublicKey:
		return algorithm == jose.EdDSA
	default:
		return false
	}
}

// curves has the curve of each algorithm (RFC 7518).
var curves = map[jose.SignatureAlgorithm]string{jose.ES256: "P-256", jose.ES384: "P-384", jose.ES512: "P-521"}

// verify checks the signature with the keys of the token's key id, or with all keys if the
// token has no key id.
func verify(keys []jose.JSONWebKey, signed *jose.JSONWebSignature) (payload []byte, verified bool) {
	if len(signed.Signatures) != 1 {
		return nil, false
	}
	header := signed.Signatures[0].Header
	for _, key := range keys {
		if header.KeyID != "" && header.KeyID != key.KeyID || !verifies(&key, jose.SignatureAlgorithm(header.Algorithm)) {
			continue
		}
		if payload, err := signed.Verify(&key); err == nil {
			return payload, true
		}
	}
	return nil, false
}
