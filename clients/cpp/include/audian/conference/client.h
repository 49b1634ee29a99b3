#ifndef AUDIAN_CONFERENCE_CLIENT_H_
#define AUDIAN_CONFERENCE_CLIENT_H_

#include <audian/conference/v2/participant_service.grpc.pb.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include "audian/conference/error.h"
#include "audian/conference/watch.h"

namespace audian::conference {

namespace internal {
class Connections;
}

// An API key or a bearer token, or a function that returns one. Empty: calls have no credential.
// The function is called for each call, possibly by several threads at once. If it throws Error,
// the call fails with it; any other exception is UNAVAILABLE, CREDENTIAL_UNAVAILABLE, and a watch
// tries again.
using Credential = std::variant<std::string, std::function<std::string()>>;

struct ClientOptions {
  // Null: plaintext. For TLS: grpc::SslCredentials({}).
  std::shared_ptr<grpc::ChannelCredentials> channel_credentials = nullptr;
  Credential credential = {};
  // How often to ping a quiet connection with open calls. The gateway allows 5 seconds or more.
  std::chrono::milliseconds keepalive_time = std::chrono::seconds(10);
  // How long to wait for the response to a ping before the connection is closed.
  std::chrono::milliseconds keepalive_timeout = std::chrono::seconds(5);
  // Further arguments of the channel.
  grpc::ChannelArguments channel_arguments = {};
};

// A client of the participant gateway. It balances calls over the addresses of its target and
// retries List and Remove. All threads may use it. Copies share its connection.
class Client {
 public:
  using Stub = v2::ParticipantService::Stub;

  // The target is a gRPC name such as `gateway.example:9090` or `dns:///gateway:9090`. The client
  // connects with the first call. Throws Error (INVALID_ARGUMENT) if the credential has characters
  // that are not printable ASCII.
  explicit Client(const std::string& target, ClientOptions options = {});

  // Makes one call and returns its response: call(&Client::Stub::AddParticipant, request).
  // Throws Error. Without a timeout the gateway's deadlines hold (30 s, for an add 75 s).
  template <class Request, class Response>
  Response call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const std::type_identity_t<Request>& request,
                std::optional<std::chrono::milliseconds> timeout = std::nullopt) const {
    grpc::ClientContext context;
    authorize(context);
    if (timeout) context.set_deadline(std::chrono::system_clock::now() + *timeout);
    Response response;
    const grpc::Status status = ((*stub()).*method)(&context, request, &response);
    if (!status.ok()) throw Error(status);
    return response;
  }

  // Watches a conference. The call is made by the first next(). The watch may outlive the client.
  Watch watch(const std::string& conference, WatchOptions options = {}) const;

  // The generated stub, for streams and asynchronous calls. It keeps its connection open.
  std::shared_ptr<Stub> stub() const;
  // Adds the credential to a call that is made with stub(). Throws Error if there is none to send.
  void authorize(grpc::ClientContext& context) const;

 private:
  std::shared_ptr<internal::Connections> connections_;
};

}  // namespace audian::conference

#endif  // AUDIAN_CONFERENCE_CLIENT_H_
