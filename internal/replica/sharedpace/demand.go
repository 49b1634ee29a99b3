package sharedpace

import (
	"context"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/upstream"
)

const (
	// demandEvery is how often a replica sends its demand, and demandFor how long that counts.
	demandEvery = 500 * time.Millisecond
	demandFor   = 2500 * time.Millisecond
)

// runDemand sends this replica's limits and demand to the others, and receives theirs, until ctx
// ends.
func (p *polls) runDemand(ctx context.Context) {
	ticker := time.NewTicker(demandEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.sendNow:
		case <-ticker.C:
		}
		_ = panics.Recover(p.options.Logger, "poll demand of all replicas", func() { p.send(ctx) })
	}
}

// send sends limits and demand. Before Start there is none.
func (p *polls) send(ctx context.Context) {
	p.mu.Lock()
	listener := p.listener
	p.mu.Unlock()
	if p.sendLimits(ctx) && listener.Demand != nil {
		p.sendDemand(ctx, listener)
	}
}

// sendLimits sends pauses and halvings to the others. It reports whether Redis works. A limit
// that could not be sent for a lifetime is dropped.
func (p *polls) sendLimits(ctx context.Context) bool {
	p.mu.Lock()
	limits := p.limits
	p.limits = nil
	p.mu.Unlock()
	if len(limits) == 0 {
		return true
	}
	// Limits that wait together are sent as one: the longest pause, and halved once.
	sum := limit{at: limits[len(limits)-1].at}
	for _, l := range limits {
		sum.pause, sum.halve = max(sum.pause, l.pause-sum.at.Sub(l.at)), sum.halve || l.halve
	}
	halve := 0
	if sum.halve {
		halve = 1
	}
	o := p.options
	pause := max(0, sum.pause-time.Since(sum.at))
	_, err := o.Conn.Run(ctx, limitScript, []string{o.key("account")}, o.PollRate, micros(pause), halve, lifetime.Milliseconds())
	if err != nil && time.Since(sum.at) < lifetime {
		p.mu.Lock()
		p.limits = append([]limit{sum}, p.limits...)
		p.mu.Unlock()
	}
	return err == nil
}

// sendDemand sends this replica's demand, and passes what all replicas share to the listener.
func (p *polls) sendDemand(ctx context.Context, listener upstream.PollListener) {
	encoded, err := json.Marshal(encode(listener.Demand()))
	if err != nil {
		return // It is plain data.
	}
	o := p.options
	values, err := o.run(ctx, demandScript, []string{o.key("demand"), o.key("account"), o.key("sent")},
		o.Replica, encoded, lifetime.Milliseconds(), micros(demandFor), micros(upstream.AddsOver))
	if err == nil {
		listener.Updated(common(values, time.Now()))
	}
}

// common decodes the reply of the script. A demand that cannot be read is left out (R11).
func common(values []any, now time.Time) (c upstream.Common) {
	c.Adds = int(integer(values, 0))
	if len(values) < 4 {
		return c
	}
	text, _ := values[1].(string)
	if limit, err := strconv.ParseFloat(text, 64); err == nil {
		c.Limit, c.Halved = limit, now.Add(-duration(values, 2))
	}
	if paused := duration(values, 3); paused > 0 {
		c.Paused = now.Add(paused)
	}
	for _, value := range values[4:] {
		var d demand
		text, _ := value.(string)
		if json.Unmarshal([]byte(text), &d) == nil {
			c.Others = append(c.Others, d.decode())
		}
	}
	return c
}

// demand is upstream.Demand in Redis. Replicas of other versions read it (R11).
type demand struct {
	// Lists has the interval in microseconds, and the pages.
	Lists      [][2]int64 `json:"lists"`
	Ahead      float64    `json:"ahead"`
	MostTokens int        `json:"most_tokens"`
}

func encode(d upstream.Demand) demand {
	encoded := demand{Ahead: d.Ahead, MostTokens: d.MostTokens}
	for _, l := range d.Lists {
		encoded.Lists = append(encoded.Lists, [2]int64{micros(l.Every), int64(l.Pages)})
	}
	return encoded
}

func (d demand) decode() upstream.Demand {
	decoded := upstream.Demand{Ahead: d.Ahead, MostTokens: d.MostTokens}
	for _, l := range d.Lists {
		every := time.Duration(l[0]) * time.Microsecond
		decoded.Lists = append(decoded.Lists, upstream.Lists{Every: every, Pages: int(l[1])})
	}
	return decoded
}
