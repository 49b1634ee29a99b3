#ifndef AUDIAN_CONFERENCE_SRC_WATCHER_H_
#define AUDIAN_CONFERENCE_SRC_WATCHER_H_

#include <memory>
#include <optional>

#include "clock.h"
#include "connections.h"
#include "session.h"
#include "watch_call.h"

namespace audian::conference::internal {

// Drives a session with calls. One thread calls next(); any thread may cancel.
class Watcher {
 public:
  Watcher(std::shared_ptr<Connections> connections, Session session, std::unique_ptr<Clock> clock);

  // As Watch::next() and Watch::cancel().
  std::optional<State> next();
  void cancel();

 private:
  // Waits for the pause after the last call. Returns false if the watch was cancelled.
  bool wait_pause();
  // Reads until there is a state. Makes a call if there is none. Returns nothing if the call failed
  // and the user knows of the break, or if the watch was cancelled.
  std::optional<State> read();
  void open_call();
  // Returns the state after a failed call, if there is one, or throws a final error.
  std::optional<State> apply_failure(const Error& error);
  void finish();
  void close_call();

  const std::shared_ptr<Connections> connections_;
  Session session_;
  const std::unique_ptr<Clock> clock_;
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  std::shared_ptr<WatchCall> call_;  // Written with the signal's lock held.
  bool finished_ = false;
};

}  // namespace audian::conference::internal

#endif  // AUDIAN_CONFERENCE_SRC_WATCHER_H_
