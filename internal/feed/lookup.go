package feed

import "github.com/audian/participant-gateway/internal/participant"

// Find returns a participant from the conference's feed, if the feed is fresh and contains them
// (A7). It does not start a feed, and does not keep one running.
func (h *Hub) Find(key participant.Key, id string) (participant.Participant, bool) {
	feed := h.lookup(key)
	if feed == nil {
		return participant.Participant{}, false
	}
	state := feed.State()
	if state.Stale {
		return participant.Participant{}, false
	}
	return state.People.Find(id)
}
