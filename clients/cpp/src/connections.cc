#include "connections.h"

#include <grpcpp/create_channel.h>

#include <utility>

#include "credential.h"

namespace audian::conference::internal {

const char* const kServiceConfig = R"({
  "methodConfig": [{
    "name": [
      {"service": "audian.conference.v2.ParticipantService", "method": "ListParticipants"},
      {"service": "audian.conference.v2.ParticipantService", "method": "RemoveParticipant"}
    ],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.2s",
      "maxBackoff": "3s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
})";

namespace {

grpc::ChannelArguments arguments_of(const ClientOptions& options) {
  grpc::ChannelArguments arguments = options.channel_arguments;
  arguments.SetLoadBalancingPolicyName("round_robin");
  arguments.SetServiceConfigJSON(kServiceConfig);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options.keepalive_time.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(options.keepalive_timeout.count()));
  // By default gRPC stops pinging a stream after two pings without data.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Pings that measure the bandwidth would break a silent connection before the watch says so.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // By default channels to one address share a connection, so that a new channel would get the
  // broken one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // By default gRPC pauses for up to two minutes between attempts to connect, and calls fail at
  // once in the meantime. Watches have pauses of their own.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 250);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return arguments;
}

}  // namespace

Connections::Connections(std::string target, ClientOptions options)
    : target_(std::move(target)), options_(std::move(options)), arguments_(arguments_of(options_)) {
  check(options_.credential);
}

std::shared_ptr<Connections::Stub> Connections::current() {
  std::lock_guard lock(mutex_);
  if (!stub_) {
    const auto& credentials = options_.channel_credentials;
    stub_ = v2::ParticipantService::NewStub(grpc::CreateCustomChannel(
        target_, credentials ? credentials : grpc::InsecureChannelCredentials(), arguments_));
  }
  return stub_;
}

void Connections::replace(const std::shared_ptr<Stub>& broken) {
  std::lock_guard lock(mutex_);
  if (stub_ == broken) stub_.reset();
}

void Connections::authorize(grpc::ClientContext& context) const {
  internal::authorize(options_.credential, context);
}

bool Connections::renews_credential() const { return renewable(options_.credential); }

}  // namespace audian::conference::internal
