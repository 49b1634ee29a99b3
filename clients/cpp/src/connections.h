#ifndef AUDIAN_CONFERENCE_SRC_CONNECTIONS_H_
#define AUDIAN_CONFERENCE_SRC_CONNECTIONS_H_

#include <memory>
#include <mutex>
#include <string>

#include "audian/conference/client.h"

namespace audian::conference::internal {

// The published service config (/schema/service_config.json): the calls that gRPC may retry.
extern const char* const kServiceConfig;

// The connection of a client. All threads may use it.
class Connections {
 public:
  using Stub = Client::Stub;

  Connections(std::string target, ClientOptions options);

  // The stub of the connection that new calls use. The connection stays open as long as somebody
  // holds its stub.
  std::shared_ptr<Stub> current();

  // Makes new calls use a new connection, unless somebody has already replaced the broken one.
  void replace(const std::shared_ptr<Stub>& broken);

  void authorize(grpc::ClientContext& context) const;
  bool renews_credential() const;

 private:
  const std::string target_;
  const ClientOptions options_;
  const grpc::ChannelArguments arguments_;
  std::mutex mutex_;
  std::shared_ptr<Stub> stub_;
};

}  // namespace audian::conference::internal

#endif  // AUDIAN_CONFERENCE_SRC_CONNECTIONS_H_
