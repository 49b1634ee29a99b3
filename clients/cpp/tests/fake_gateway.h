#ifndef AUDIAN_CONFERENCE_TESTS_FAKE_GATEWAY_H_
#define AUDIAN_CONFERENCE_TESTS_FAKE_GATEWAY_H_

#include <audian/conference/v2/participant_service.grpc.pb.h>
#include <grpcpp/server.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace audian::conference::testing {

// What the gateway does with one watch.
struct Script {
  std::vector<v2::WatchParticipantsResponse> messages = {};
  grpc::Status status = grpc::Status::OK;
  // Keep the stream open after the messages until the client cancels.
  bool hold = false;
};

// A call that the gateway got.
struct Call {
  std::string peer;           // The address of the connection's other end.
  std::string authorization;  // The metadata, empty if there is none.
  v2::WatchParticipantsRequest request;
};

// A gateway in this process that follows scripts, one for each watch, and holds further watches.
class FakeGateway final : private v2::ParticipantService::Service {
 public:
  explicit FakeGateway(std::vector<Script> scripts = {});
  ~FakeGateway() override;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // The watches so far.
  std::vector<Call> calls() const;
  // Waits until so many watches have begun.
  void wait_for_calls(std::size_t count);
  // Waits until no watch is open.
  void wait_until_idle();

 private:
  grpc::Status WatchParticipants(
      grpc::ServerContext* context, const v2::WatchParticipantsRequest* request,
      grpc::ServerWriter<v2::WatchParticipantsResponse>* writer) override;
  // Refuses every participant, with the authorization as the message.
  grpc::Status GetParticipant(grpc::ServerContext* context,
                              const v2::GetParticipantRequest* request,
                              v2::GetParticipantResponse* response) override;
  Script begin(const grpc::ServerContext& context, const v2::WatchParticipantsRequest& request);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Script> scripts_;
  std::vector<Call> calls_;
  int open_ = 0;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace audian::conference::testing

#endif  // AUDIAN_CONFERENCE_TESTS_FAKE_GATEWAY_H_
