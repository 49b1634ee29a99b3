package histories_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

// site runs many conferences of one account, polled by the engine in virtual time. The name of
// a conference is its kind and a number.
type site struct {
	t       *testing.T
	account *upstream.Account
	hub     *feed.Hub
	began   time.Time
	done    chan struct{}
	running sync.WaitGroup

	mu sync.Mutex
	// kinds maps each kind to the answers of its conferences.
	kinds map[string]answers
	// polled are the times at which each kind of conference was polled.
	polled map[string][]time.Time
	feeds  map[string]*feed.Feed
	stale  map[string]bool
	// flips are how often the feeds of each kind turned stale or fresh.
	flips map[string]int
}

// answers describes the answers of the conferences of one kind.
type answers struct {
	status  int
	body    string
	latency time.Duration
	// pages is the number of pages of a list; 0 means one.
	pages int
	// retryAfter is the header of that name.
	retryAfter string
}

const (
	// people has one participant who is being called, a new one every minute.
	people   = `{"participants":[{"id":"MINUTE","status":"dialing"}],"total":1}`
	calm     = `{"participants":[{"id":"p","status":"connected"}],"total":1}`
	notFound = `{"code":404,"message":"no such conference"}`
)

// siteOptions are those of the account and the feeds that differ from the defaults.
type siteOptions struct {
	rate    float64
	longest time.Duration
}

// runSite runs a test with a site in virtual time.
func runSite(t *testing.T, options siteOptions, kinds map[string]answers, test func(s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &site{
			t: t, began: time.Now(), kinds: kinds, done: make(chan struct{}),
			polled: map[string][]time.Time{}, feeds: map[string]*feed.Feed{}, stale: map[string]bool{}, flips: map[string]int{},
		}
		var err error
		s.account, err = upstream.New(audian.StaticToken("token"), participant.Fingerprint{1}, upstream.Options{
			BaseURL: &url.URL{Scheme: "http", Host: "upstream", Path: "/v2"}, Transport: s, PollRate: options.rate,
		})
		if err != nil {
			t.Fatal(err)
		}
		longest := max(options.longest, 5*time.Second)
		s.hub = feed.NewHub(feed.Options{
			PollInterval: time.Second, MaxPollInterval: longest, Linger: 30 * time.Second, History: 4096,
			Logger: slog.New(slog.DiscardHandler),
		})
		s.running.Go(s.observe)
		test(s)
		close(s.done)
		s.running.Wait()
		s.hub.Close()
		time.Sleep(10 * time.Second) // Reads for adds under way end.
	})
}

// RoundTrip answers a list of a conference by its kind.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	name, _, _ := strings.Cut(strings.Split(r.URL.Path, "/")[3], "-")
	s.mu.Lock()
	s.polled[name] = append(s.polled[name], time.Now())
	k := s.kinds[name]
	s.mu.Unlock()
	select {
	case <-time.After(max(k.latency, 10*time.Millisecond)):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	page, body := 1, strings.ReplaceAll(k.body, "MINUTE", strconv.FormatInt(time.Now().Unix()/60, 10))
	_, _ = fmt.Sscan(r.URL.Query().Get("start_key"), &page)
	if page < k.pages {
		body = fmt.Sprintf(`{"participants":[{"id":"%d","status":"dialing"}],"next_start_key":"%d"}`, page, page+1)
	}
	header := http.Header{}
	if k.retryAfter != "" {
		header.Set("Retry-After", k.retryAfter)
	}
	return &http.Response{StatusCode: k.status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// set changes how a kind answers.
func (s *site) set(name string, k answers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[name] = k
}

// watch watches n conferences of a kind until the test ends.
func (s *site) watch(name string, n int) {
	s.t.Helper()
	for i := range n {
		f, _, err := s.hub.Acquire(context.Background(), ownAccount{s.account}, fmt.Sprintf("%s-%d", name, i))
		if err != nil {
			s.t.Fatal(err)
		}
		s.mu.Lock()
		s.feeds[f.Key().Conference] = f
		s.mu.Unlock()
	}
}

// observe counts flips.
func (s *site) observe() {
	for {
		select {
		case <-s.done:
			return
		case <-time.After(100 * time.Millisecond):
		}
		s.mu.Lock()
		for conference, f := range s.feeds {
			if stale := f.State().Stale; stale != s.stale[conference] {
				s.stale[conference] = stale
				name, _, _ := strings.Cut(conference, "-")
				s.flips[name]++
			}
		}
		s.mu.Unlock()
	}
}

// settle waits, and then starts to count flips and polls.
func (s *site) settle(d time.Duration) {
	time.Sleep(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.flips)
	clear(s.polled)
}

// check fails unless the conferences of a kind never flipped, and are stale or fresh as given.
func (s *site) check(name string, stale bool) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flips[name] > 0 {
		s.t.Errorf("%s: %d flips", name, s.flips[name])
	}
	for conference, f := range s.feeds {
		if state := f.State(); strings.HasPrefix(conference, name+"-") && state.Stale != stale {
			s.t.Errorf("%s: stale %v: %s", conference, state.Stale, state.StaleReason)
		}
	}
}

// polls returns the number of requests to a kind of conference since settle.
func (s *site) polls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.polled[name])
}

// interval returns the interval in force of a conference.
func (s *site) interval(conference string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.feeds[conference].State().PollInterval
}

// retry opens a conference again whenever it has ended, as clients that ignore NOT_FOUND
// do.
func (s *site) retry(conference string) {
	for {
		f, release, err := s.hub.Acquire(context.Background(), ownAccount{s.account}, conference)
		if err != nil {
			s.t.Error(err)
			return
		}
		for f.State().End == nil {
			select {
			case <-s.done:
				release()
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
		release()
	}
}

// reconcile looks for a lost add until the test ends.
func (s *site) reconcile(conference string) {
	for {
		_, _ = s.account.ListToReconcile(s.t.Context(), conference)
		select {
		case <-s.done:
			return
		case <-time.After(time.Second):
		}
	}
}

// TestW15_SlowConferencesStayFresh polls lists of many pages, and many feeds whose lists are
// slow.
func TestW15_SlowConferencesStayFresh(t *testing.T) {
	for name, test := range map[string]struct {
		answers answers
		feeds   int
		rate    float64
		lasts   time.Duration
	}{
		"20 pages of 250 ms":             {answers{200, people, 250 * time.Millisecond, 20, ""}, 1, 10, 2 * time.Minute},
		"three of 20 pages":              {answers{200, people, 250 * time.Millisecond, 20, ""}, 3, 10, 2 * time.Minute},
		"40 of 3 s":                      {answers{200, people, 3 * time.Second, 1, ""}, 40, 10, 2 * time.Minute},
		"40 of 4.9 s":                    {answers{200, people, 4900 * time.Millisecond, 1, ""}, 40, 10, 2 * time.Minute},
		"200 calm ones":                  {answers{200, calm, 50 * time.Millisecond, 1, ""}, 200, 10, 2 * time.Minute},
		"five at one request a second":   {answers{200, people, 50 * time.Millisecond, 1, ""}, 5, 1, 2 * time.Minute},
		"500 at 1,000 requests a second": {answers{200, people, 50 * time.Millisecond, 1, ""}, 500, 1000, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			runSite(t, siteOptions{rate: test.rate}, map[string]answers{"slow": test.answers}, func(s *site) {
				s.watch("slow", test.feeds)
				s.settle(test.lasts)
				time.Sleep(test.lasts)
				s.check("slow", false)
				pages := max(1, test.answers.pages)
				gap := time.Duration(test.feeds) * test.lasts / time.Duration(max(1, s.polls("slow")/pages))
				if got := s.interval("slow-0"); (got - gap).Abs() > gap/5 {
					t.Errorf("poll interval %v, lists come every %v", got, gap)
				}
			})
		})
	}
}

// TestW15_BigListsAndSmallOnes share the budget: whole lists take turns.
func TestW15_BigListsAndSmallOnes(t *testing.T) {
	runSite(t, siteOptions{}, map[string]answers{
		"big": {200, people, 50 * time.Millisecond, 40, ""}, "small": {200, people, 50 * time.Millisecond, 1, ""},
	}, func(s *site) {
		s.watch("big", 5)
		s.watch("small", 5)
		s.settle(2 * time.Minute)
		time.Sleep(10 * time.Minute)
		s.check("big", false)
		s.check("small", false)
	})
}

// TestW15_HealthyFeedsGetHalfOfTheGrants runs them together with all requests that have a
// higher priority.
func TestW15_HealthyFeedsGetHalfOfTheGrants(t *testing.T) {
	kinds := map[string]answers{
		"healthy": {200, people, 50 * time.Millisecond, 1, ""}, "broken": {503, ``, 50 * time.Millisecond, 1, ""},
		"missing": {404, notFound, 50 * time.Millisecond, 1, ""}, "lost": {200, people, 50 * time.Millisecond, 1, ""},
	}
	runSite(t, siteOptions{}, kinds, func(s *site) {
		s.watch("healthy", 20)
		s.settle(time.Minute)
		s.watch("broken", 50)
		for i := range 2 {
			s.running.Go(func() { s.retry(fmt.Sprintf("missing-%d", i)) })
		}
		for i := range 20 {
			s.running.Go(func() { s.reconcile(fmt.Sprintf("lost-%d", i)) })
		}
		time.Sleep(5 * time.Minute)
		s.check("healthy", false)
		urgent, others := s.polls("missing")+s.polls("lost"), s.polls("healthy")+s.polls("broken")
		if others < urgent*9/10 || s.polls("healthy") < 5*60*10/2*20/70*8/10 {
			t.Errorf("%d urgent polls, %d others, %d of them of healthy feeds", urgent, others, s.polls("healthy"))
		}
	})
}

// TestW10_BrokenConferencesMakeNoOthersStale breaks some conferences. The others are healthy and
// quiet.
func TestW10_BrokenConferencesMakeNoOthersStale(t *testing.T) {
	for name, test := range map[string]struct {
		healthy, broken int
		longest         time.Duration
		latency         time.Duration
	}{
		"one broken":                      {5, 1, 5 * time.Second, 0},
		"20 broken":                       {5, 20, 5 * time.Second, 0},
		"one broken, long intervals":      {3, 1, 30 * time.Second, 0},
		"20 broken, long intervals":       {3, 20, 30 * time.Second, 0},
		"20 that hang, long intervals":    {3, 20, 30 * time.Second, time.Hour},
		"400 of 500 broken":               {100, 400, 5 * time.Second, 0},
		"one healthy, long, and 3 broken": {1, 3, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			kinds := map[string]answers{"healthy": {200, calm, 50 * time.Millisecond, 1, ""}, "broken": {200, calm, 50 * time.Millisecond, 1, ""}}
			runSite(t, siteOptions{longest: test.longest}, kinds, func(s *site) {
				s.watch("healthy", test.healthy)
				s.watch("broken", test.broken)
				s.settle(3 * time.Minute)
				s.set("broken", answers{503, ``, test.latency, 1, ""})
				time.Sleep(3 * time.Minute)
				s.check("healthy", false)
				s.settle(0)
				time.Sleep(3 * time.Minute)
				s.check("healthy", false)
				s.check("broken", true)
				healthy, broken := float64(s.polls("healthy"))/float64(test.healthy), float64(s.polls("broken"))/float64(test.broken)
				if expected := 3 * time.Minute.Seconds() / s.interval("healthy-0").Seconds(); healthy < expected*0.8 {
					t.Errorf("%v lists of a healthy feed, %v of a broken one; %v expected", healthy, broken, expected)
				}
			})
		})
	}
}

// TestW10_RecoveryIsNoticedWithinTenSeconds makes all conferences fail for minutes.
func TestW10_RecoveryIsNoticedWithinTenSeconds(t *testing.T) {
	for name, test := range map[string]struct {
		feeds   int
		longest time.Duration
		failing answers
	}{
		"one":                         {1, 5 * time.Second, answers{503, ``, 0, 1, ""}},
		"one, long intervals":         {1, 30 * time.Second, answers{503, ``, 0, 1, ""}},
		"one that hangs":              {1, time.Minute, answers{503, ``, time.Hour, 1, ""}},
		"three that hang":             {3, time.Minute, answers{503, ``, time.Hour, 1, ""}},
		"40 that hang":                {40, time.Minute, answers{503, ``, time.Hour, 1, ""}},
		"500":                         {500, 5 * time.Second, answers{503, ``, 0, 1, ""}},
		"three whose lists lack some": {3, 30 * time.Second, answers{200, `{"participants":[],"total":1}`, 0, 1, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			healthy := answers{200, calm, 50 * time.Millisecond, 1, ""}
			runSite(t, siteOptions{longest: test.longest}, map[string]answers{"all": healthy}, func(s *site) {
				s.watch("all", test.feeds)
				time.Sleep(3 * time.Minute)
				s.set("all", test.failing)
				s.settle(2 * time.Minute)
				time.Sleep(3 * time.Minute)
				s.mu.Lock()
				for i, at := range s.polled["all"][1:] {
					if gap := at.Sub(s.polled["all"][i]); gap > 10*time.Second {
						t.Errorf("gap between polls: %v", gap)
					}
				}
				s.mu.Unlock()
				s.check("all", true)
				if most := 3 * 60 * 10; s.polls("all") > most {
					t.Errorf("%d polls in 3 minutes", s.polls("all"))
				}
				s.set("all", healthy)
				time.Sleep(10*time.Second + max(s.interval("all-0"), 5*time.Second)*11/10)
				s.settle(0)
				s.check("all", false)
			})
		})
	}
}

// TestW15_ASlowerBudgetMakesNoFeedFlap slows the budget: with continuous adds, with a conference
// that answers 429, or with few request tokens left.
func TestW15_ASlowerBudgetMakesNoFeedFlap(t *testing.T) {
	healthy := answers{200, people, 50 * time.Millisecond, 1, ""}
	fewTokens := answers{200, `{"participants":[{"id":"MINUTE","status":"dialing"}],"total":1,"tokens":{"remaining":9}}`, 50 * time.Millisecond, 1, ""}
	enough := answers{200, strings.Replace(fewTokens.body, ":9}", ":90}", 1), 50 * time.Millisecond, 1, ""}
	for name, slow := range map[string]func(s *site){
		"adds": func(s *site) {
			for range 20 * 10 {
				s.running.Go(func() { s.add("healthy-0") })
				time.Sleep(100 * time.Millisecond)
			}
		},
		"429":        func(s *site) { s.watch("limited", 1) },
		"few tokens": func(s *site) { s.set("healthy", fewTokens) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, feeds := range []int{5, 40} {
				runSite(t, siteOptions{}, map[string]answers{"healthy": enough, "limited": {429, ``, 0, 1, ""}}, func(s *site) {
					s.watch("healthy", feeds)
					s.settle(time.Minute)
					slow(s)
					time.Sleep(3 * time.Minute)
					s.set("healthy", healthy)
					time.Sleep(3 * time.Minute)
					s.check("healthy", false)
				})
			}
		})
	}
}

// TestA01_LostAddsAreReconciledDuringAPause makes one conference answer 429 with Retry-After
// while a lost add of another conference is reconciled.
func TestA01_LostAddsAreReconciledDuringAPause(t *testing.T) {
	runSite(t, siteOptions{}, map[string]answers{
		"limited": {429, ``, 0, 1, "30"}, "lost": {200, people, 0, 1, ""}, "healthy": {200, people, 0, 1, ""},
	}, func(s *site) {
		s.watch("healthy", 3)
		s.watch("limited", 1)
		s.settle(5 * time.Second)
		for i := range 3 {
			s.running.Go(func() { s.reconcile(fmt.Sprintf("lost-%d", i)) })
		}
		time.Sleep(10 * time.Second)
		if reads := s.polls("lost"); reads < 25 || s.polls("healthy") > 0 {
			t.Errorf("%d reads for three lost adds in 10 s, %d polls", reads, s.polls("healthy"))
		}
	})
}

// add sends an add when its slot is granted.
func (s *site) add(conference string) {
	slot, err := s.account.Reserve(s.t.Context(), conference, "")
	if err != nil {
		return
	}
	defer slot.Release()
	if slot.Wait(s.t.Context()) == nil {
		_, _ = slot.Send(s.t.Context(), participant.Add{})
	}
}
