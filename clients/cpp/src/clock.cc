#include "clock.h"

#include <random>

namespace audian::conference::internal {
namespace {

class SteadyClock final : public Clock {
 public:
  bool wait_message(Condition& changed, Lock& lock, std::chrono::milliseconds silence,
                    const Ready& ready) override {
    return changed.wait_for(lock, silence, ready);
  }

  bool wait_retry(Condition& changed, Lock& lock, std::chrono::milliseconds pause,
                  const Ready& ready) override {
    return changed.wait_for(lock, pause, ready);
  }

  double jitter() override { return distribution_(engine_); }

 private:
  std::minstd_rand engine_{std::random_device{}()};
  std::uniform_real_distribution<> distribution_{1.0, 1.25};
};

}  // namespace

std::unique_ptr<Clock> steady_clock() { return std::make_unique<SteadyClock>(); }

}  // namespace audian::conference::internal
