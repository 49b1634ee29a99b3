#ifndef AUDIAN_CONFERENCE_SRC_CLOCK_H_
#define AUDIAN_CONFERENCE_SRC_CLOCK_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace audian::conference::internal {

// How a watch waits. Tests replace it. Each wait returns true as soon as ready() is true, and false
// when the time has passed. The lock is held at the call, at the return and in ready().
class Clock {
 public:
  using Lock = std::unique_lock<std::mutex>;
  using Condition = std::condition_variable;
  using Ready = std::function<bool()>;

  virtual ~Clock() = default;

  // Waits for a message, for at most the time after which a connection is silent.
  virtual bool wait_message(Condition& changed, Lock& lock, std::chrono::milliseconds silence,
                            const Ready& ready) = 0;
  // Waits before a call is made again.
  virtual bool wait_retry(Condition& changed, Lock& lock, std::chrono::milliseconds pause,
                          const Ready& ready) = 0;
  // A random factor from 1.0 to 1.25 for the pauses.
  virtual double jitter() = 0;
};

// The clock of the system. Each watch has its own.
std::unique_ptr<Clock> steady_clock();

}  // namespace audian::conference::internal

#endif  // AUDIAN_CONFERENCE_SRC_CLOCK_H_
