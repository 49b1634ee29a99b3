#include "streams.h"

#include <iostream>

namespace interop {
namespace {

json to_json(const v2::BatchAddParticipantsResponse& response) {
  switch (response.event_case()) {
    case v2::BatchAddParticipantsResponse::kAccepted:
      return {{"event", "accepted"}, {"count", response.accepted().count()}};
    case v2::BatchAddParticipantsResponse::kResult: {
      const v2::BatchResult& result = response.result();
      json line = {{"event", "result"}, {"index", result.index()}};
      if (result.has_participant()) line["participant"] = interop::to_json(result.participant());
      if (result.has_error()) line["error"] = interop::to_json(conference::Error(result.error()));
      return line;
    }
    case v2::BatchAddParticipantsResponse::kSummary:
      return {{"event", "summary"},
              {"added", response.summary().added()},
              {"failed", response.summary().failed()},
              {"unknown", response.summary().unknown()}};
    default:
      return nullptr;
  }
}

}  // namespace

void print(const std::string& id, json line) {
  static std::mutex mutex;
  line["id"] = id;
  std::lock_guard lock(mutex);
  std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
}

void Credentials::note(const conference::Error& error) {
  if (error.code() != grpc::UNAUTHENTICATED) return;
  if (position_ + 1 < values_.size()) ++position_;
}

WatchStream::WatchStream(std::string id, Connection connection, const std::string& conference,
                         conference::WatchOptions options)
    : id_(std::move(id)),
      connection_(std::move(connection)),
      watch_(connection_.client.watch(conference, std::move(options))),
      thread_([this] { run(); }) {}

void WatchStream::stop() {
  watch_.cancel();
  if (thread_.joinable()) thread_.join();
}

std::optional<conference::State> WatchStream::last_state() const {
  std::lock_guard lock(mutex_);
  return last_;
}

void WatchStream::run() try {
  for (const conference::State& state : watch_) give(state);
  print(id_, {{"done", true}});
} catch (const conference::Error& error) {
  connection_.credentials->note(error);
  print(id_, {{"error", interop::to_json(error)}});
}

void WatchStream::give(const conference::State& state) {
  if (state.error) connection_.credentials->note(*state.error);
  {
    std::lock_guard lock(mutex_);
    last_ = state;
  }
  print(id_, interop::to_json(state));
}

BatchStream::BatchStream(std::string id, Connection connection,
                         v2::BatchAddParticipantsRequest request)
    : id_(std::move(id)),
      connection_(std::move(connection)),
      request_(std::move(request)),
      thread_([this] { run(); }) {}

void BatchStream::stop() {
  stopped_ = true;
  context_.TryCancel();
  if (thread_.joinable()) thread_.join();
}

void BatchStream::run() try {
  connection_.client.authorize(context_);
  const auto reader = connection_.client.stub()->BatchAddParticipants(&context_, request_);
  v2::BatchAddParticipantsResponse response;
  while (reader->Read(&response)) {
    if (const json line = to_json(response); !line.is_null()) print(id_, line);
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok() && !stopped_) throw conference::Error(status);
  print(id_, {{"done", true}});
} catch (const conference::Error& error) {
  connection_.credentials->note(error);
  print(id_, {{"error", interop::to_json(error)}});
}

}  // namespace interop
