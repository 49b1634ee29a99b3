package sharedclaims

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/redact"
	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

const (
	// tokenLifetime is how long a token is kept that nobody has renewed.
	tokenLifetime = 24 * time.Hour
	// lockLifetime is more than an exchange takes.
	lockLifetime = 6 * time.Second
	// lockInterval is how often a replica looks whether another has exchanged the key.
	lockInterval = 50 * time.Millisecond
)

// Tokens shares the token for which an API key was exchanged (R10). It is encrypted with a key
// that only those can derive who have the API key.
type Tokens struct {
	conn *redisconn.Conn
	aead cipher.AEAD

	mu sync.Mutex
	// last is the token that this replica got last, and issued when it was exchanged.
	last   string
	issued time.Time
}

// NewTokens returns the shared token of an API key.
func NewTokens(conn *redisconn.Conn, apiKey redact.Secret) (*Tokens, error) {
	key, err := hkdf.Key(sha256.New, []byte(apiKey.Reveal()), nil, "participant-gateway exchanged token 1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the shared token: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the shared token: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("derive the key of the shared token: %w", err)
	}
	return &Tokens{conn: conn, aead: aead}, nil
}

// Token returns a token other than the refused one: that of another replica, or else by exchange.
// One replica exchanges at a time while Redis can be used.
func (t *Tokens) Token(ctx context.Context, refused string, exchange func(context.Context) (string, error)) (string, error) {
	holder := rand.Text()
	for {
		if token, found := t.read(ctx, refused); found {
			return token, nil
		}
		locked, err := t.conn.Client().SetNX(ctx, t.lockKey(), holder, lockLifetime).Result()
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if locked || err != nil {
			return t.exchange(ctx, holder, refused, exchange)
		}
		timer := time.NewTimer(lockInterval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", ctx.Err()
		}
	}
}

func (t *Tokens) tokenKey() string { return t.conn.Key("claim", "token") }
func (t *Tokens) lockKey() string  { return t.conn.Key("claim", "lock") }

// exchange exchanges the key under the lock, unless another replica has just done it.
func (t *Tokens) exchange(
	ctx context.Context, holder, refused string, exchange func(context.Context) (string, error),
) (string, error) {
	unlocking := context.WithoutCancel(ctx)
	defer func() { _, _ = t.conn.Run(unlocking, unlockScript, []string{t.lockKey()}, holder) }()
	if token, found := t.read(ctx, refused); found {
		return token, nil
	}
	token, err := exchange(ctx)
	if err == nil {
		t.share(unlocking, token)
	}
	return token, err
}

// sharedToken is the text that is encrypted.
type sharedToken struct {
	Token string `json:"token"`
	// Issued is when it was exchanged, by Redis' clock.
	Issued time.Time `json:"issued"`
}

// share writes a token, if Redis can be used.
func (t *Tokens) share(ctx context.Context, token string) {
	now := t.conn.Now()
	t.keep(token, now)
	plain, err := json.Marshal(sharedToken{token, now})
	if err != nil {
		return
	}
	sealed := t.aead.Seal(nil, nil, plain, nil) //nolint:gosec // The cipher adds a random nonce.
	t.conn.Client().Set(ctx, t.tokenKey(), sealed, tokenLifetime)
}

func (t *Tokens) keep(token string, issued time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last, t.issued = token, issued
}

// read returns the shared token. It ignores one of another key, the refused one, and one that is
// not newer than a refused one.
func (t *Tokens) read(ctx context.Context, refused string) (string, bool) {
	sealed, err := t.conn.Client().Get(ctx, t.tokenKey()).Bytes()
	if err != nil {
		return "", false
	}
	plain, err := t.aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return "", false
	}
	var shared sharedToken
	if err := json.Unmarshal(plain, &shared); err != nil || shared.Token == "" || shared.Token == refused {
		return "", false
	}
	if t.isOld(shared, refused) {
		return "", false
	}
	t.keep(shared.Token, shared.Issued)
	return shared.Token, true
}

func (t *Tokens) isOld(shared sharedToken, refused string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return refused != "" && refused == t.last && !shared.Issued.After(t.issued)
}
