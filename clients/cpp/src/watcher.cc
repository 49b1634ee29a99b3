#include "watcher.h"

#include <utility>

namespace audian::conference::internal {
namespace {

Error error_of(const grpc::Status& status) {
  if (!status.ok()) return Error(status);
  return {grpc::UNAVAILABLE, "the stream ended, but not the conference", kStreamEnded};
}

}  // namespace

Watcher::Watcher(std::shared_ptr<Connections> connections, Session session,
                 std::unique_ptr<Clock> clock)
    : connections_(std::move(connections)),
      session_(std::move(session)),
      clock_(std::move(clock)) {}

std::optional<State> Watcher::next() {
  while (!finished_ && wait_pause()) {
    auto state = read();
    if (!state) continue;
    if (state->kind == State::Kind::kEnd) finish();
    return state;
  }
  finish();
  return std::nullopt;
}

void Watcher::cancel() {
  // The reading thread may destroy the watch as soon as it is cancelled.
  const std::shared_ptr<Signal> signal = signal_;
  std::shared_ptr<WatchCall> call;
  {
    std::lock_guard lock(signal->mutex);
    signal->cancelled = true;
    call = call_;
    signal->changed.notify_all();
  }
  if (call) call->cancel();
}

bool Watcher::wait_pause() {
  using std::chrono::milliseconds;
  const auto cancelled = [this] { return signal_->cancelled; };
  std::unique_lock lock(signal_->mutex);
  if (call_ || session_.pause() == milliseconds::zero()) return !cancelled();
  const auto pause = std::chrono::duration_cast<milliseconds>(session_.pause() * clock_->jitter());
  return !clock_->wait_retry(signal_->changed, lock, pause, cancelled);
}

void Watcher::open_call() {
  auto call = std::make_shared<WatchCall>(*connections_, session_.begin_call(), signal_);
  std::lock_guard lock(signal_->mutex);
  call_ = std::move(call);
}

std::optional<State> Watcher::read() try {
  if (!call_) open_call();
  for (;;) {
    switch (call_->read(*clock_, session_.silence())) {
      case WatchCall::Result::kCancelled:
        return std::nullopt;
      case WatchCall::Result::kEnded:
        throw error_of(call_->status());
      case WatchCall::Result::kSilent:
        connections_->replace(call_->stub());
        throw Error(grpc::UNAVAILABLE, "no message for two heartbeats", kSilent);
      case WatchCall::Result::kMessage:
        if (auto state = session_.apply(call_->message())) return state;
    }
  }
} catch (const Error& error) {
  return apply_failure(error);
}

std::optional<State> Watcher::apply_failure(const Error& error) {
  close_call();
  if (session_.is_final(error, connections_->renews_credential())) {
    finished_ = true;
    throw error;
  }
  return session_.disconnect(error);
}

void Watcher::finish() {
  finished_ = true;
  close_call();
}

void Watcher::close_call() {
  std::shared_ptr<WatchCall> call;
  std::lock_guard lock(signal_->mutex);
  std::swap(call, call_);
}

}  // namespace audian::conference::internal
