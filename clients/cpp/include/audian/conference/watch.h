#ifndef AUDIAN_CONFERENCE_WATCH_H_
#define AUDIAN_CONFERENCE_WATCH_H_

#include <audian/conference/v2/participant_service.pb.h>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audian/conference/error.h"

namespace audian::conference {

namespace internal {
class Watcher;
}

// Participants by id.
using Roster = std::map<std::string, v2::Participant>;

// What a watch knows of a conference at one position. A state is a copy: later states do not
// change it.
struct State {
  enum class Kind {
    kSnapshot,      // The roster was replaced; see snapshot_reason.
    kChanges,       // The roster changed; see changes.
    kFreshness,     // Only fresh or stale_reason changed.
    kDisconnected,  // The call failed, see error; the watch calls again by itself. Comes once
                    // until there is another message.
    kEnd,           // The conference no longer exists; see end_reason. The last state.
  };

  Kind kind = Kind::kFreshness;
  // All participants that pass the filters, after the changes.
  Roster roster;
  // The changes since the state before, in the gateway's order.
  std::vector<v2::ParticipantChange> changes;
  // Whether the roster is up to date.
  bool fresh = false;
  // Why the roster is not fresh: `DISCONNECTED`, or a reason of docs/errors.md.
  std::string stale_reason;
  v2::SnapshotReason snapshot_reason = v2::SNAPSHOT_REASON_UNSPECIFIED;
  v2::WatchEndReason end_reason = v2::WATCH_END_REASON_UNSPECIFIED;
  // Set in kDisconnected only.
  std::optional<Error> error;
  // The number of all, and of connected and held, participants of the whole conference, as the
  // gateway last reported. Unset if not known.
  std::optional<int> total;
  std::optional<int> active;
  // The position. It is useless without the roster.
  std::string token;
};

// What to watch. A participant must pass every filter that is not empty.
struct WatchOptions {
  std::vector<v2::ParticipantStatus> statuses = {};
  std::vector<v2::ParticipantRole> roles = {};
  std::vector<std::string> participant_ids = {};
  // The longest time between two messages of the gateway: 5 to 60 seconds.
  std::chrono::milliseconds heartbeat_interval = std::chrono::seconds(15);
  // An earlier state of the same conference: the watch continues after it.
  std::optional<State> resume_from = std::nullopt;
};

// The states of a conference, as a range or by next(). The watch calls again after errors, with
// growing pauses, and opens a new connection if the network is silent for two heartbeats.
//
// One thread reads; any thread may cancel. The destructor ends the call. A moved-from watch may
// only be destroyed or assigned to.
class Watch {
 public:
  class Iterator;

  explicit Watch(std::unique_ptr<internal::Watcher> watcher);
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  // Waits for the next state. Returns nothing after kEnd, after cancel() and after an error.
  // Throws Error if another call cannot succeed: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED,
  // UNAUTHENTICATED, FAILED_PRECONDITION, UNIMPLEMENTED, OUT_OF_RANGE or ALREADY_EXISTS. The
  // exception is UNAUTHENTICATED after a message, with a credential function: then the watch calls
  // again with the function's next credential.
  std::optional<State> next();

  // Ends the call and makes a waiting next() return. Any thread may call it while the watch exists.
  void cancel();

  // Reads the first state. A watch has one position: do not use two iterators.
  Iterator begin();
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::unique_ptr<internal::Watcher> watcher_;
};

// An input iterator over the states of a watch. It is valid as long as the watch is not moved.
class Watch::Iterator {
 public:
  using value_type = State;
  using difference_type = std::ptrdiff_t;

  explicit Iterator(Watch& watch) : watch_(&watch), state_(watch.next()) {}
  Iterator(Iterator&&) = default;
  Iterator& operator=(Iterator&&) = default;

  const State& operator*() const noexcept { return *state_; }
  const State* operator->() const noexcept { return &*state_; }
  Iterator& operator++() {
    state_ = watch_->next();
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const noexcept { return !state_; }

 private:
  Watch* watch_;
  std::optional<State> state_;
};

inline Watch::Iterator Watch::begin() { return Iterator(*this); }

}  // namespace audian::conference

#endif  // AUDIAN_CONFERENCE_WATCH_H_
