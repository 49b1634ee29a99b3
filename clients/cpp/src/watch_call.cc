#include "watch_call.h"

#include <utility>

namespace audian::conference::internal {

WatchCall::WatchCall(Connections& connections, v2::WatchParticipantsRequest request,
                     std::shared_ptr<Signal> signal)
    : stub_(connections.current()), request_(std::move(request)), signal_(std::move(signal)) {
  connections.authorize(context_);
  stub_->async()->WatchParticipants(&context_, &request_, this);
  // read() starts reads outside of the reactor's methods. Without a hold the call could end
  // between two of them. It is removed after the last read.
  AddHold();
  StartCall();
}

WatchCall::~WatchCall() {
  context_.TryCancel();
  std::unique_lock lock(signal_->mutex);
  closing_ = true;
  if (reading_ == Reading::kIdle || reading_ == Reading::kGotMessage) {
    lock.unlock();
    RemoveHold();
    lock.lock();
  }
  signal_->changed.wait(lock, [this] { return done_; });
}

WatchCall::Result WatchCall::read(Clock& clock, std::chrono::milliseconds silence) {
  std::unique_lock lock(signal_->mutex);
  if (reading_ == Reading::kIdle || reading_ == Reading::kGotMessage) {
    reading_ = Reading::kStarted;
    lock.unlock();
    StartRead(&message_);
    lock.lock();
  }
  const bool in_time = clock.wait_message(signal_->changed, lock, silence, [this] {
    return signal_->cancelled || done_ || reading_ == Reading::kGotMessage;
  });
  if (signal_->cancelled) return Result::kCancelled;
  if (!in_time) return Result::kSilent;
  return done_ ? Result::kEnded : Result::kMessage;
}

void WatchCall::OnReadDone(bool ok) {
  bool last;
  {
    std::lock_guard lock(signal_->mutex);
    reading_ = ok ? Reading::kGotMessage : Reading::kFailed;
    last = !ok || closing_;
    signal_->changed.notify_all();
  }
  if (last) RemoveHold();
}

void WatchCall::OnDone(const grpc::Status& status) {
  std::lock_guard lock(signal_->mutex);
  status_ = status;
  done_ = true;
  signal_->changed.notify_all();
}

}  // namespace audian::conference::internal
