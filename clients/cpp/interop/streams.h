// The calls that run in the background: watches and batches.
#ifndef AUDIAN_CONFERENCE_INTEROP_STREAMS_H_
#define AUDIAN_CONFERENCE_INTEROP_STREAMS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "json.h"

namespace interop {

// Prints one line for the command with this id. All threads may call it.
void print(const std::string& id, json line);

// Credentials that are used one after the other: the next one after a call was refused.
class Credentials {
 public:
  explicit Credentials(std::vector<std::string> values) : values_(std::move(values)) {}

  std::string current() const { return values_[position_]; }
  // Goes on to the next credential if the error is UNAUTHENTICATED.
  void note(const conference::Error& error);

 private:
  const std::vector<std::string> values_;
  std::atomic<std::size_t> position_ = 0;
};

// A client and what its credential function reads.
struct Connection {
  conference::Client client;
  std::shared_ptr<Credentials> credentials;
};

// A call in the background. The destructor cancels it and waits for its last line.
class Stream {
 public:
  virtual ~Stream() = default;
  // Cancels the call and waits for its last line.
  virtual void stop() = 0;
};

class WatchStream final : public Stream {
 public:
  WatchStream(std::string id, Connection connection, const std::string& conference,
              conference::WatchOptions options);
  ~WatchStream() override { stop(); }

  void stop() override;
  // The last state, if there is one.
  std::optional<conference::State> last_state() const;

 private:
  void run();
  void give(const conference::State& state);

  const std::string id_;
  const Connection connection_;
  conference::Watch watch_;
  mutable std::mutex mutex_;
  std::optional<conference::State> last_;
  std::jthread thread_;
};

class BatchStream final : public Stream {
 public:
  BatchStream(std::string id, Connection connection, v2::BatchAddParticipantsRequest request);
  ~BatchStream() override { stop(); }

  void stop() override;

 private:
  void run();

  const std::string id_;
  const Connection connection_;
  const v2::BatchAddParticipantsRequest request_;
  grpc::ClientContext context_;
  std::atomic<bool> stopped_ = false;
  std::jthread thread_;
};

}  // namespace interop

#endif  // AUDIAN_CONFERENCE_INTEROP_STREAMS_H_
