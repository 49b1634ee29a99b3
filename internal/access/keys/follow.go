package keys

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

// interval is how often the file is read. It is short, and the content itself is
// compared: that works alike for files written in place, renamed into place, and
// mounted behind links that are swapped, where watching or the times of files do not.
const interval = time.Second

// complaintInterval is how often a file that cannot be used is complained of: a key that
// is revoked meanwhile goes on being admitted.
const complaintInterval = time.Minute

// Follow takes over what is changed in the file until ctx ends. Streams of callers
// whose rights stay go on; those of others end within the interval (W19).
func (p *Policy) Follow(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.refresh(ctx)
		}
	}
}

// Usable reports whether the keys in force are those of the file as it is now.
func (p *Policy) Usable() bool { return !p.unusable.Load() }

// refresh takes the file over if it changed. One that cannot be used changes nothing: the
// callers of the last good one go on, which is complained of until it is mended.
func (p *Policy) refresh(ctx context.Context) {
	content, err := read(p.file)
	if err == nil {
		if bytes.Equal(content, p.content) {
			p.mended(ctx)
			return
		}
		err = p.load(content)
	}
	if err != nil {
		p.complain(ctx, err)
		return
	}
	p.mended(ctx)
	p.logger.LogAttrs(ctx, slog.LevelInfo, "keys taken over",
		slog.String("file", p.file), slog.Int("callers", len(*p.holders.Load())))
}

func (p *Policy) mended(ctx context.Context) {
	if p.unusable.CompareAndSwap(true, false) {
		p.complaint = ""
		p.logger.LogAttrs(ctx, slog.LevelInfo, "keys file can be used again", slog.String("file", p.file))
	}
}

func (p *Policy) complain(ctx context.Context, err error) {
	p.unusable.Store(true)
	now := time.Now()
	if p.complaint == err.Error() && now.Sub(p.complainedAt) < complaintInterval {
		return
	}
	p.complaint, p.complainedAt = err.Error(), now
	p.logger.LogAttrs(ctx, slog.LevelError,
		"keys file cannot be used: the last good one stays in force, and keys that are revoked meanwhile go on being admitted",
		slog.String("file", p.file), slog.String("error", p.complaint))
}

// load takes a file's content over.
func (p *Policy) load(content []byte) error {
	entries, err := Parse(content)
	if err != nil {
		return err
	}
	before, after := *p.holders.Load(), make(map[Hash]*holder, len(entries))
	for _, entry := range entries {
		known, found := before[entry.Hash]
		if !found || known.name != entry.Name {
			known = &holder{name: entry.Name, grant: access.NewGrant(entry.Rights)}
		}
		after[entry.Hash] = known
	}
	// From here on no new call is admitted by what was withdrawn.
	p.holders.Store(&after)
	p.content = content
	for _, entry := range entries {
		after[entry.Hash].grant.Change(entry.Rights)
	}
	for hash, gone := range before {
		if after[hash] != gone {
			gone.grant.Withdraw(&apierror.Error{
				Reason:  apierror.CredentialInvalid,
				Message: "the key was withdrawn",
			})
		}
	}
	return nil
}
