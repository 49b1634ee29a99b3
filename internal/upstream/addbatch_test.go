package upstream

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// TestA09_ABatchHasAPlaceOfItsOwn has the batch wait with one add at a time, as a batch does.
func TestA09_ABatchHasAPlaceOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := account(t, &upstream{})
		var l log
		var running sync.WaitGroup
		send := func(conference, batch, name string) {
			s, err := a.Reserve(t.Context(), conference, batch)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Release()
			if err := s.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			l.note(name)
			// The turns come one after the other.
			a.pacer.done(s.grant.Load())
			s.ended = true
			a.release()
		}
		for range addsPerWindow {
			send("other", "", "before")
			time.Sleep(20 * time.Millisecond)
		}
		running.Go(func() {
			for n := range 6 {
				send("conf", "batch", fmt.Sprintf("b%d", n))
			}
		})
		synctest.Wait()
		for n := range 3 {
			running.Go(func() { send("conf", "", fmt.Sprintf("c%d", n)) })
			synctest.Wait()
		}
		running.Go(func() { send("other", "", "o0") })
		running.Wait()
		if got := strings.Join(l.names[addsPerWindow:], " "); got != "b0 c0 o0 b1 c1 b2 c2 b3 b4 b5" {
			t.Errorf("left in the order %s", got)
		}
	})
}

// A batch waits although 1,000 adds wait: it would be over at once otherwise.
func TestA09_ABatchIsNotRefusedForThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := full(t)
		var queued []*queuedAdd
		for n := range maxWaitingAdds {
			add, err := p.enqueue(queueName{conference: fmt.Sprint(n % 7)}, false)
			if err != nil {
				t.Fatal(err)
			}
			queued = append(queued, add)
		}
		if _, err := p.enqueue(queueName{conference: "c"}, false); apiError(t, err).Reason != apierror.AddRateLimited {
			t.Errorf("a single add: %v", err)
		}
		add, err := p.enqueue(queueName{conference: "c", batch: "b"}, false)
		if err != nil {
			t.Fatal(err)
		}
		if ahead, waits := p.queue.position(add); !waits || ahead > 7 {
			t.Errorf("%d adds are ahead of the batch", ahead)
		}
		for _, waiting := range append(queued, add) {
			p.withdraw(waiting)
		}
	})
}
