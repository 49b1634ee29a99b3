#ifndef AUDIAN_CONFERENCE_SRC_SESSION_H_
#define AUDIAN_CONFERENCE_SRC_SESSION_H_

#include <chrono>
#include <optional>
#include <string>

#include "audian/conference/watch.h"

namespace audian::conference::internal {

// What a watch knows, without its calls: it makes requests, applies messages and decides what
// follows a failed call.
class Session {
 public:
  Session(std::string conference, WatchOptions options);

  // Begins a call, and returns its request.
  v2::WatchParticipantsRequest begin_call();

  // Applies a message. Returns the state to give to the user, or nothing if the message contains
  // nothing new. Throws Error (ROSTER_MISMATCH) if the roster has another size than the gateway
  // reports; the call must be given up then.
  std::optional<State> apply(const v2::WatchParticipantsResponse& message);

  // Whether no call can succeed after this error of the current call.
  bool is_final(const Error& error, bool renews_credential) const;
  // Ends a call that failed with an error that is not final. Returns the state to give to the user,
  // or nothing if the last call has failed too, without a message in between.
  std::optional<State> disconnect(const Error& error);

  // How long to wait before the next call, without jitter. Zero before the first call.
  std::chrono::milliseconds pause() const { return pause_; }
  // How long a connection may bring no message.
  std::chrono::milliseconds silence() const { return 2 * options_.heartbeat_interval; }

 private:
  struct FreshnessReport {
    bool fresh = true;
    std::string stale_reason;
    bool operator==(const FreshnessReport&) const = default;
  };

  std::optional<State> apply_event(const v2::WatchParticipantsResponse& message);
  State apply_snapshot(const v2::ParticipantSnapshot& snapshot);
  State apply_changes(const v2::ParticipantChanges& changes);
  std::optional<State> apply_checkpoint(const v2::Checkpoint& checkpoint);
  State apply_end(const v2::WatchEnd& end);
  State make_state(State::Kind kind, const FreshnessReport& freshness);

  const std::string conference_;
  const WatchOptions options_;
  Roster roster_;
  std::string token_;
  std::optional<int> total_;
  std::optional<int> active_;
  FreshnessReport reported_;  // By the gateway's last checkpoint.
  FreshnessReport shown_;     // By the last state.
  bool got_message_ = false;  // In the current call.
  bool disconnected_ = false;
  std::chrono::milliseconds pause_{0};
  std::chrono::milliseconds backoff_;
};

}  // namespace audian::conference::internal

#endif  // AUDIAN_CONFERENCE_SRC_SESSION_H_
