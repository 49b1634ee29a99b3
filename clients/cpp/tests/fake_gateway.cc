#include "fake_gateway.h"

#include <grpcpp/server_builder.h>

#include <chrono>
#include <thread>

namespace audian::conference::testing {
namespace {

std::string authorization_of(const grpc::ServerContext& context) {
  const auto entry = context.client_metadata().find("authorization");
  if (entry == context.client_metadata().end()) return {};
  return {entry->second.data(), entry->second.size()};
}

}  // namespace

FakeGateway::FakeGateway(std::vector<Script> scripts) : scripts_(scripts.begin(), scripts.end()) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeGateway::~FakeGateway() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

std::vector<Call> FakeGateway::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

void FakeGateway::wait_for_calls(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return calls_.size() >= count; });
}

void FakeGateway::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return open_ == 0; });
}

grpc::Status FakeGateway::WatchParticipants(
    grpc::ServerContext* context, const v2::WatchParticipantsRequest* request,
    grpc::ServerWriter<v2::WatchParticipantsResponse>* writer) {
  const Script script = begin(*context, *request);
  for (const auto& message : script.messages) writer->Write(message);
  while (script.hold && !context->IsCancelled()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::lock_guard lock(mutex_);
  --open_;
  changed_.notify_all();
  return script.status;
}

grpc::Status FakeGateway::GetParticipant(grpc::ServerContext* context,
                                         const v2::GetParticipantRequest*,
                                         v2::GetParticipantResponse*) {
  return {grpc::NOT_FOUND, authorization_of(*context)};
}

Script FakeGateway::begin(const grpc::ServerContext& context,
                          const v2::WatchParticipantsRequest& request) {
  std::lock_guard lock(mutex_);
  ++open_;
  calls_.push_back({context.peer(), authorization_of(context), request});
  changed_.notify_all();
  if (scripts_.empty()) return {.hold = true};
  Script script = std::move(scripts_.front());
  scripts_.pop_front();
  return script;
}

}  // namespace audian::conference::testing
