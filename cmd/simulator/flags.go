package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// flags are the simulator's options on the command line.
type flags struct {
	Addr     string     `default:"127.0.0.1:8095" help:"Address to listen on."`
	LogLevel slog.Level `default:"INFO"           help:"Log level; DEBUG logs every request."`

	Demo   bool   `help:"Run the conference conf_demo, where participants join and leave; only an add creates other conferences."`
	Faults string `help:"File with a JSON array of faults to inject."                    type:"existingfile"`

	Seed      uint64        `default:"1"     help:"Seed of the participants' behaviour."`
	TimeScale float64       `default:"1"     help:"How many times faster the participants behave."`
	Linger    time.Duration `default:"5s"    help:"How long disconnected participants stay listed."`
	Lag       time.Duration `default:"0s"    help:"How long lists do not show an add, a remove or a control."`

	Behaviour simulator.Behaviour `default:"human" enum:"human,steady,still" help:"How added participants behave."`

	Token  []string `help:"Token to accept (repeatable); without tokens and keys, every token is accepted."`
	APIKey []string `name:"api-key" help:"API key to exchange for tokens at PUT /v2/api_auth (repeatable)."`

	TokenTTL time.Duration `name:"token-ttl" default:"1h" help:"How long a token of an API key is valid."`

	Conference    []string `help:"Conference that exists from the start (repeatable)."`
	KnownOnly     bool     `help:"Answer 404 for conferences not named by --conference."`
	Envelope      bool     `help:"Wrap responses in an envelope."`
	ListAsData    bool     `help:"With --envelope, make the array the data of a list."`
	PageSize      int      `help:"Participants in one page; 0: no pages."`
	NewestFirst   bool     `help:"List the newest participants first."`
	RemoveTwice   bool     `help:"Answer the removal of an absent participant with 204 instead of 404."`
	RequestTokens int      `help:"Size of the request token bucket, refilled at 10 each second; 0: no limit."`

	MaxParticipants int `default:"100" help:"Maximum of calls in a conference."`
	AddsPerSecond   int `default:"10" help:"Maximum of adds each second; less than 0: no limit."`
}

// Validate is called by kong.
func (f *flags) Validate() error {
	const notNegative = "not be negative"
	_, port, err := net.SplitHostPort(f.Addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	for _, rule := range []struct {
		holds bool
		flag  string
		must  string
		value any
	}{
		{err == nil, "addr", "be host:port", f.Addr},
		{f.TimeScale > 0 && !math.IsInf(f.TimeScale, 0), "time-scale", "be more than 0", f.TimeScale},
		{f.Linger >= 0, "linger", notNegative, f.Linger},
		{f.Lag >= 0, "lag", notNegative, f.Lag},
		{f.TokenTTL > 0, "token-ttl", "be more than 0", f.TokenTTL},
		{f.PageSize >= 0, "page-size", notNegative, f.PageSize},
		{f.RequestTokens >= 0, "request-tokens", notNegative, f.RequestTokens},
		{f.MaxParticipants >= 0, "max-participants", notNegative, f.MaxParticipants},
	} {
		if !rule.holds {
			return fmt.Errorf("--%s must %s, got %v", rule.flag, rule.must, rule.value)
		}
	}
	return nil
}

// options returns the simulator's options.
func (f *flags) options(logger *slog.Logger) (simulator.Options, error) {
	faults, err := f.faults()
	return simulator.Options{
		Seed: f.Seed, TimeScale: f.TimeScale, Behaviour: f.Behaviour, Demo: f.Demo,
		Tokens: f.Token, APIKeys: f.APIKey, TokenTTL: f.TokenTTL,
		Conferences: f.Conference, KnownOnly: f.KnownOnly, MaxParticipants: f.MaxParticipants,
		Envelope: f.Envelope, ListAsData: f.ListAsData, PageSize: f.PageSize, NewestFirst: f.NewestFirst,
		ListLag: f.Lag, LingerDisconnected: f.Linger, RemoveTwice: f.RemoveTwice,
		AddsPerSecond: f.AddsPerSecond, RequestTokens: f.RequestTokens,
		Faults: faults, Logger: logger,
	}, err
}

func (f *flags) faults() ([]simulator.Fault, error) {
	if f.Faults == "" {
		return nil, nil
	}
	file, err := os.Open(f.Faults)
	if err != nil {
		return nil, fmt.Errorf("--faults: %w", err)
	}
	defer func() { _ = file.Close() }()
	faults, err := simulator.ReadFaults(file)
	if err != nil {
		return nil, fmt.Errorf("--faults: %s: %w", f.Faults, err)
	}
	return faults, nil
}

// printBanner prints the address and commands to try. It prints no configured token.
func (f *flags) printBanner(out io.Writer, addr string) {
	token, conference := "any", "conf_abc123def456"
	if len(f.Token)+len(f.APIKey) > 0 {
		token = "$TOKEN"
	}
	if f.Demo {
		conference = simulator.DemoConference
	}
	_, _ = fmt.Fprintf(out, `The simulated API is at http://%[1]s/v2 (admin API: http://%[1]s/_simulator/). Try:

curl -H "X-Auth-Token: %[2]s" http://%[1]s/v2/conferences/%[3]s/participants
curl -H "X-Auth-Token: %[2]s" -d '{"phone_number":"+12025550123","name":"Ada"}' http://%[1]s/v2/conferences/%[3]s/participants
curl -d '{"kind":"status","operation":"list","status":503,"times":3}' http://%[1]s/_simulator/faults
`, addr, token, conference)
}
