#include "audian/conference/watch.h"

#include <utility>

#include "watcher.h"

namespace audian::conference {

Watch::Watch(std::unique_ptr<internal::Watcher> watcher) : watcher_(std::move(watcher)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

std::optional<State> Watch::next() { return watcher_->next(); }

void Watch::cancel() { watcher_->cancel(); }

}  // namespace audian::conference
