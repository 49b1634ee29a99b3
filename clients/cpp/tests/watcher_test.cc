#include "watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "fake_gateway.h"
#include "messages.h"

namespace audian::conference::internal {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using namespace audian::conference::testing;  // NOLINT: short forms of messages
using Kind = State::Kind;

const grpc::Status kUnavailable(grpc::UNAVAILABLE, "connection reset");
const grpc::Status kUnauthenticated(grpc::UNAUTHENTICATED, "expired");

// Time that a test controls: pauses pass at once, and no connection is silent unless silent_when
// says so, which holds for one wait.
struct Time {
  std::vector<milliseconds> pauses;
  std::function<bool()> silent_when = nullptr;
};

class FakeClock final : public Clock {
 public:
  explicit FakeClock(Time& time) : time_(time) {}

  bool wait_message(Condition& changed, Lock& lock, milliseconds, const Ready& ready) override {
    while (!ready()) {
      if (time_.silent_when && time_.silent_when()) {
        time_.silent_when = nullptr;
        return false;
      }
      changed.wait_for(lock, milliseconds(1));
    }
    return true;
  }

  bool wait_retry(Condition&, Lock&, milliseconds pause, const Ready& ready) override {
    time_.pauses.push_back(pause);
    return ready();
  }

  double jitter() override { return 1.2; }

 private:
  Time& time_;
};

class WatcherTest : public ::testing::Test {
 protected:
  // Starts a gateway and a watch of it.
  void start(std::vector<Script> scripts, Credential credential = {}) {
    gateway_.emplace(std::move(scripts));
    connections_ =
        std::make_shared<Connections>(gateway_->address(), ClientOptions{.credential = credential});
    watcher_.emplace(connections_, Session("conf", {}), std::make_unique<FakeClock>(time_));
  }

  State next() {
    auto state = watcher_->next();
    if (!state) throw std::logic_error("the watch has ended");
    return *state;
  }

  Time time_;
  std::optional<FakeGateway> gateway_;
  std::shared_ptr<Connections> connections_;
  std::optional<Watcher> watcher_;
};

TEST_F(WatcherTest, ResumesAfterABrokenStream) {
  start({{.messages = {snapshot("t1", {"a"})}, .status = kUnavailable},
         {.messages = {changes("t2", {{v2::CHANGE_KIND_ADDED, "b"}})}, .hold = true}});
  EXPECT_EQ(next().kind, Kind::kSnapshot);
  const State broken = next();
  EXPECT_EQ(broken.kind, Kind::kDisconnected);
  EXPECT_EQ(broken.error->message(), "connection reset");
  EXPECT_THAT(time_.pauses, ElementsAre());
  EXPECT_THAT(ids(next()), ElementsAre("a", "b"));
  EXPECT_THAT(time_.pauses, ElementsAre(milliseconds(300)));
  EXPECT_EQ(gateway_->calls()[0].request.resume_token(), "");
  EXPECT_EQ(gateway_->calls()[1].request.resume_token(), "t1");
  EXPECT_EQ(gateway_->calls()[1].peer, gateway_->calls()[0].peer);
}

TEST_F(WatcherTest, AStreamThatEndsWithoutAnEndIsABreak) {
  start({{.messages = {snapshot("t1", {})}}, {.messages = {snapshot("t2", {"a"})}}});
  next();
  EXPECT_EQ(next().error->reason(), kStreamEnded);
  EXPECT_THAT(ids(next()), ElementsAre("a"));
}

TEST_F(WatcherTest, EndsWithTheConference) {
  start({{.messages = {snapshot("t1", {}), end("t2")}}});
  next();
  EXPECT_EQ(next().kind, Kind::kEnd);
  EXPECT_FALSE(watcher_->next());
  EXPECT_FALSE(watcher_->next());
  EXPECT_EQ(gateway_->calls().size(), 1u);
}

TEST_F(WatcherTest, ThrowsAFinalErrorOnce) {
  start({{.status = {grpc::NOT_FOUND, "no such conference"}}});
  EXPECT_THROW(watcher_->next(), Error);
  EXPECT_FALSE(watcher_->next());
  EXPECT_EQ(gateway_->calls().size(), 1u);
}

TEST_F(WatcherTest, OpensANewConnectionAfterSilence) {
  start({{.messages = {snapshot("t1", {})}, .hold = true},
         {.hold = true},
         {.messages = {snapshot("t2", {"a"})}, .hold = true}});
  next();
  time_.silent_when = [] { return true; };
  EXPECT_EQ(next().error->reason(), kSilent);
  // The second call is silent from its start.
  time_.silent_when = [this] { return gateway_->calls().size() == 2; };
  EXPECT_THAT(ids(next()), ElementsAre("a"));

  const auto calls = gateway_->calls();
  EXPECT_EQ(calls[1].request.resume_token(), "t1");
  EXPECT_NE(calls[1].peer, calls[0].peer);
  EXPECT_NE(calls[2].peer, calls[1].peer);
}

TEST_F(WatcherTest, WatchesShareTheNewConnection) {
  start({{.hold = true}});
  const auto broken = connections_->current();
  time_.silent_when = [this] { return gateway_->calls().size() == 1; };
  next();
  const auto replacement = connections_->current();
  EXPECT_NE(replacement, broken);
  connections_->replace(broken);
  EXPECT_EQ(connections_->current(), replacement);
}

TEST_F(WatcherTest, AsksForASnapshotIfTheCountIsWrong) {
  start({{.messages = {snapshot("t1", {"a"}), checkpoint("t2", "", 2)}, .hold = true},
         {.messages = {snapshot("t3", {"a", "b"})}, .hold = true}});
  next();
  EXPECT_EQ(next().error->reason(), kRosterMismatch);
  EXPECT_THAT(ids(next()), ElementsAre("a", "b"));
  EXPECT_EQ(gateway_->calls()[1].request.resume_token(), "");
}

TEST_F(WatcherTest, RenewsAnExpiredCredentialOnce) {
  int number = 0;
  start({{.messages = {snapshot("t1", {})}, .status = kUnauthenticated},
         {.status = kUnauthenticated}},
        [&number] { return "key" + std::to_string(++number); });
  next();
  EXPECT_EQ(next().error->code(), grpc::UNAUTHENTICATED);
  EXPECT_THROW(watcher_->next(), Error);
  const auto calls = gateway_->calls();
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].authorization, "Bearer key1");
  EXPECT_EQ(calls[1].authorization, "Bearer key2");
}

TEST_F(WatcherTest, AnExpiredFixedCredentialIsFinal) {
  start({{.messages = {snapshot("t1", {})}, .status = kUnauthenticated}}, "key");
  next();
  EXPECT_THROW(watcher_->next(), Error);
}

TEST_F(WatcherTest, TriesAgainIfThereIsNoCredential) {
  int number = 0;
  start({{.messages = {snapshot("t1", {})}, .hold = true}}, [&number]() -> std::string {
    if (++number == 1) throw std::runtime_error("no answer");
    return "key";
  });
  EXPECT_EQ(next().error->reason(), kCredentialUnavailable);
  EXPECT_EQ(next().kind, Kind::kSnapshot);
  EXPECT_EQ(gateway_->calls()[0].authorization, "Bearer key");
}

TEST_F(WatcherTest, CancelEndsAWaitingNext) {
  start({{.hold = true}});
  std::jthread canceller([this] {
    gateway_->wait_for_calls(1);
    watcher_->cancel();
  });
  EXPECT_FALSE(watcher_->next());
  EXPECT_FALSE(watcher_->next());
  gateway_->wait_until_idle();
}

TEST_F(WatcherTest, CancelEndsTheCallAtOnce) {
  start({{.messages = {snapshot("t1", {})}, .hold = true}});
  next();
  watcher_->cancel();
  gateway_->wait_until_idle();
  EXPECT_FALSE(watcher_->next());
}

TEST_F(WatcherTest, CancelEndsAPause) {
  const auto retry = retry_info(3600);
  start({{.status = status(grpc::UNAVAILABLE, {&retry})}});
  Watcher watcher(connections_, Session("conf", {}), steady_clock());
  EXPECT_EQ(watcher.next()->kind, Kind::kDisconnected);
  std::jthread canceller([&watcher] { watcher.cancel(); });
  EXPECT_FALSE(watcher.next());
  EXPECT_EQ(gateway_->calls().size(), 1u);
}

TEST_F(WatcherTest, DestructorEndsTheCall) {
  start({{.messages = {snapshot("t1", {}), checkpoint("t1")}, .hold = true}});
  next();
  watcher_.reset();
  gateway_->wait_until_idle();
}

TEST_F(WatcherTest, CallsAgainUntilThereIsAMessage) {
  start({{.status = kUnavailable},
         {.status = kUnavailable},
         {.status = kUnavailable},
         {.messages = {snapshot("t1", {})}, .hold = true}});
  EXPECT_EQ(next().kind, Kind::kDisconnected);
  EXPECT_EQ(next().kind, Kind::kSnapshot);
  EXPECT_THAT(time_.pauses, ElementsAre(milliseconds(300), milliseconds(600), milliseconds(1200)));
}

TEST_F(WatcherTest, NoGatewayIsABreak) {
  start({});
  gateway_.reset();
  EXPECT_EQ(next().error->code(), grpc::UNAVAILABLE);
}

}  // namespace
}  // namespace audian::conference::internal
