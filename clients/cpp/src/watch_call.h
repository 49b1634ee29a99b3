#ifndef AUDIAN_CONFERENCE_SRC_WATCH_CALL_H_
#define AUDIAN_CONFERENCE_SRC_WATCH_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "clock.h"
#include "connections.h"

namespace audian::conference::internal {

// The lock, condition and flag that a watch and its calls share.
struct Signal {
  std::mutex mutex;
  std::condition_variable changed;
  bool cancelled = false;
};

// One call of WatchParticipants. It reads a message only when asked for it, so that the gateway
// notices a slow reader and merges changes. gRPC's own threads serve the connection meanwhile. The
// destructor cancels the call.
class WatchCall final : private grpc::ClientReadReactor<v2::WatchParticipantsResponse> {
 public:
  enum class Result { kMessage, kEnded, kSilent, kCancelled };

  // Makes the call. Throws as Client::authorize().
  WatchCall(Connections& connections, v2::WatchParticipantsRequest request,
            std::shared_ptr<Signal> signal);
  ~WatchCall() override;

  // Waits for the next message, the end of the call, silence or the signal's cancellation.
  Result read(Clock& clock, std::chrono::milliseconds silence);

  // The message after kMessage.
  const v2::WatchParticipantsResponse& message() const { return message_; }
  // The status after kEnded.
  const grpc::Status& status() const { return status_; }
  // The connection of the call.
  const std::shared_ptr<Connections::Stub>& stub() const { return stub_; }

  void cancel() { context_.TryCancel(); }

 private:
  // How far the read is that read() has started.
  enum class Reading { kIdle, kStarted, kGotMessage, kFailed };

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const std::shared_ptr<Connections::Stub> stub_;
  const v2::WatchParticipantsRequest request_;
  const std::shared_ptr<Signal> signal_;
  grpc::ClientContext context_;
  v2::WatchParticipantsResponse message_;
  // The rest is guarded by the signal's lock.
  Reading reading_ = Reading::kIdle;
  bool closing_ = false;
  bool done_ = false;
  grpc::Status status_;
};

}  // namespace audian::conference::internal

#endif  // AUDIAN_CONFERENCE_SRC_WATCH_CALL_H_
