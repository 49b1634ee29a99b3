#include "audian/conference/client.h"

#include <utility>

#include "clock.h"
#include "connections.h"
#include "watcher.h"

namespace audian::conference {

Client::Client(const std::string& target, ClientOptions options)
    : connections_(std::make_shared<internal::Connections>(target, std::move(options))) {}

Watch Client::watch(const std::string& conference, WatchOptions options) const {
  return Watch(std::make_unique<internal::Watcher>(
      connections_, internal::Session(conference, std::move(options)), internal::steady_clock()));
}

std::shared_ptr<Client::Stub> Client::stub() const { return connections_->current(); }

void Client::authorize(grpc::ClientContext& context) const { connections_->authorize(context); }

}  // namespace audian::conference
