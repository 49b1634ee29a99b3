#include "session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages.h"

namespace audian::conference::internal {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace audian::conference::testing;  // NOLINT: short forms of messages
using Kind = State::Kind;

const Error kUnavailable(grpc::UNAVAILABLE, "connection reset");

Session begun(WatchOptions options = {}) {
  Session session("conf", std::move(options));
  session.begin_call();
  return session;
}

TEST(SessionTest, RequestHasFiltersAndHeartbeat) {
  Session session("conf", {.statuses = {v2::PARTICIPANT_STATUS_HELD},
                           .roles = {v2::PARTICIPANT_ROLE_LISTENER},
                           .participant_ids = {"a"},
                           .heartbeat_interval = milliseconds(7500)});
  const auto request = session.begin_call();
  EXPECT_EQ(request.conference_id(), "conf");
  EXPECT_EQ(request.resume_token(), "");
  EXPECT_THAT(request.statuses(), ElementsAre(v2::PARTICIPANT_STATUS_HELD));
  EXPECT_THAT(request.roles(), ElementsAre(v2::PARTICIPANT_ROLE_LISTENER));
  EXPECT_THAT(request.participant_ids(), ElementsAre("a"));
  EXPECT_EQ(request.heartbeat_interval().seconds(), 7);
  EXPECT_EQ(request.heartbeat_interval().nanos(), 500'000'000);
  EXPECT_EQ(session.silence(), milliseconds(15'000));
}

TEST(SessionTest, SendsTheDefaultHeartbeat) {
  EXPECT_EQ(Session("conf", {}).begin_call().heartbeat_interval().seconds(), 15);
}

TEST(SessionTest, SnapshotReplacesTheRoster) {
  Session session = begun();
  session.apply(snapshot("t1", {"a", "b"}));
  auto message = snapshot("t2", {"c"});
  message.mutable_snapshot()->set_total(9);
  const auto state = session.apply(message);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->kind, Kind::kSnapshot);
  EXPECT_EQ(state->snapshot_reason, v2::SNAPSHOT_REASON_INITIAL);
  EXPECT_THAT(ids(*state), ElementsAre("c"));
  EXPECT_TRUE(state->fresh);
  EXPECT_EQ(state->total, 9);
  EXPECT_EQ(state->active, std::nullopt);
  EXPECT_EQ(state->token, "t2");
}

TEST(SessionTest, ChangesSetAndDelete) {
  Session session = begun();
  const auto first = session.apply(snapshot("t1", {"a", "b", "c"}));
  const auto state = session.apply(changes("t2", {{v2::CHANGE_KIND_ADDED, "d"},
                                                  {v2::CHANGE_KIND_UPDATED, "a"},
                                                  {v2::CHANGE_KIND_REMOVED, "b"},
                                                  {v2::CHANGE_KIND_LEFT_FILTER, "c"}}));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->kind, Kind::kChanges);
  EXPECT_THAT(ids(*state), ElementsAre("a", "d"));
  EXPECT_EQ(state->roster.at("a").status(), v2::PARTICIPANT_STATUS_HELD);
  EXPECT_EQ(state->changes.size(), 4u);
  // The earlier state is unchanged.
  EXPECT_THAT(ids(*first), ElementsAre("a", "b", "c"));
}

TEST(SessionTest, AcceptsValuesOfANewerGateway) {
  Session session = begun();
  auto message = snapshot("t1", {"a"});
  message.mutable_snapshot()->set_reason(static_cast<v2::SnapshotReason>(42));
  auto& a = *message.mutable_snapshot()->mutable_participants(0);
  a.set_status(static_cast<v2::ParticipantStatus>(42));
  const auto state = session.apply(message);
  ASSERT_TRUE(state);
  EXPECT_EQ(static_cast<int>(state->roster.at("a").status()), 42);
  EXPECT_EQ(static_cast<int>(state->snapshot_reason), 42);

  Message unknown_event;
  unknown_event.set_resume_token("t2");
  EXPECT_FALSE(session.apply(unknown_event));
  EXPECT_EQ(session.begin_call().resume_token(), "t2");
}

TEST(SessionTest, CopiesAnEmptyToken) {
  Session session = begun();
  session.apply(snapshot("t1", {}));
  session.apply(checkpoint(""));
  EXPECT_EQ(session.begin_call().resume_token(), "");
}

TEST(SessionTest, CheckpointGivesAStateOnlyIfTheFreshnessChanges) {
  Session session = begun();
  session.apply(snapshot("t1", {"a"}));
  EXPECT_FALSE(session.apply(checkpoint("t1", "", 1)));

  const auto stale = session.apply(checkpoint("t2", "UPSTREAM_TIMEOUT"));
  ASSERT_TRUE(stale);
  EXPECT_EQ(stale->kind, Kind::kFreshness);
  EXPECT_FALSE(stale->fresh);
  EXPECT_EQ(stale->stale_reason, "UPSTREAM_TIMEOUT");
  EXPECT_EQ(stale->token, "t2");
  EXPECT_THAT(ids(*stale), ElementsAre("a"));
  EXPECT_FALSE(session.apply(checkpoint("t2", "UPSTREAM_TIMEOUT")));
  EXPECT_TRUE(session.apply(checkpoint("t2", "POLL_DELAYED")));

  const auto fresh = session.apply(checkpoint("t2"));
  ASSERT_TRUE(fresh);
  EXPECT_TRUE(fresh->fresh);
  EXPECT_EQ(fresh->stale_reason, "");
}

TEST(SessionTest, StaleCheckpointBeforeTheFirstSnapshotGivesAState) {
  const auto state = begun().apply(checkpoint("", "UPSTREAM_TIMEOUT"));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->kind, Kind::kFreshness);
  EXPECT_THAT(state->roster, IsEmpty());
}

TEST(SessionTest, IsNotFreshWhileDisconnected) {
  Session session = begun();
  session.apply(snapshot("t1", {"a"}));
  const State state = session.disconnect(kUnavailable).value();
  EXPECT_EQ(state.kind, Kind::kDisconnected);
  EXPECT_FALSE(state.fresh);
  EXPECT_EQ(state.stale_reason, "DISCONNECTED");
  EXPECT_EQ(state.error->code(), grpc::UNAVAILABLE);
  EXPECT_THAT(ids(state), ElementsAre("a"));
  EXPECT_EQ(state.token, "t1");

  EXPECT_EQ(session.begin_call().resume_token(), "t1");
  const auto again = session.apply(checkpoint("t1"));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->fresh);
}

TEST(SessionTest, KeepsTheGatewaysFreshnessOverABreak) {
  Session session = begun();
  session.apply(snapshot("t1", {}));
  session.apply(checkpoint("t1", "UPSTREAM_TIMEOUT"));
  session.disconnect(kUnavailable);
  session.begin_call();
  const auto state = session.apply(snapshot("t2", {}));
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->fresh);
  EXPECT_EQ(state->stale_reason, "UPSTREAM_TIMEOUT");
}

TEST(SessionTest, FirstFailureGivesAnEmptyRoster) {
  const State state = begun().disconnect(kUnavailable).value();
  EXPECT_THAT(state.roster, IsEmpty());
  EXPECT_EQ(state.token, "");
}

TEST(SessionTest, ReportsABreakOnce) {
  Session session = begun();
  EXPECT_TRUE(session.disconnect(kUnavailable));
  session.begin_call();
  EXPECT_FALSE(session.disconnect(kUnavailable));
  session.begin_call();
  session.apply(checkpoint("t1"));
  EXPECT_TRUE(session.disconnect(kUnavailable));
}

TEST(SessionTest, WrongCountStartsAgainWithoutAToken) {
  Session session = begun();
  session.apply(snapshot("t1", {"a"}));
  try {
    session.apply(checkpoint("t2", "", 2));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), kRosterMismatch);
    const State state = session.disconnect(error).value();
    EXPECT_EQ(state.token, "");
    EXPECT_THAT(ids(state), ElementsAre("a"));
  }
  EXPECT_EQ(session.begin_call().resume_token(), "");
}

TEST(SessionTest, EndHasAReason) {
  const auto state = begun().apply(end("t1"));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->kind, Kind::kEnd);
  EXPECT_EQ(state->end_reason, v2::WATCH_END_REASON_CONFERENCE_GONE);
}

TEST(SessionTest, PausesDoubleUntilAMessageComes) {
  Session session = begun();
  EXPECT_EQ(session.pause(), milliseconds(0));
  for (const int expected : {250, 500, 1000, 2000, 4000, 8000, 10'000, 10'000}) {
    session.disconnect(kUnavailable);
    EXPECT_EQ(session.pause(), milliseconds(expected));
  }
  session.begin_call();
  session.apply(checkpoint(""));
  session.disconnect(kUnavailable);
  EXPECT_EQ(session.pause(), milliseconds(250));
}

TEST(SessionTest, PausesAsLongAsTheGatewayAsks) {
  Session session = begun();
  const auto retry = retry_info(3);
  session.disconnect(Error(status(grpc::UNAVAILABLE, {&retry})));
  EXPECT_EQ(session.pause(), milliseconds(3000));
  const auto none = retry_info(0);
  session.disconnect(Error(status(grpc::UNAVAILABLE, {&none})));
  EXPECT_EQ(session.pause(), milliseconds(500));
}

TEST(SessionTest, KnowsTheFinalCodes) {
  const Session session = begun();
  for (const auto code :
       {grpc::INVALID_ARGUMENT, grpc::NOT_FOUND, grpc::PERMISSION_DENIED, grpc::UNAUTHENTICATED,
        grpc::FAILED_PRECONDITION, grpc::UNIMPLEMENTED, grpc::OUT_OF_RANGE, grpc::ALREADY_EXISTS}) {
    EXPECT_TRUE(session.is_final(Error(code, ""), true)) << code;
  }
  for (const auto code :
       {grpc::UNAVAILABLE, grpc::RESOURCE_EXHAUSTED, grpc::INTERNAL, grpc::UNKNOWN, grpc::ABORTED,
        grpc::DEADLINE_EXCEEDED, grpc::DATA_LOSS, grpc::CANCELLED}) {
    EXPECT_FALSE(session.is_final(Error(code, ""), true)) << code;
  }
}

TEST(SessionTest, AnExpiredCredentialIsFinalUnlessItCanBeRenewed) {
  const Error expired(grpc::UNAUTHENTICATED, "");
  Session session = begun();
  session.apply(checkpoint(""));
  EXPECT_FALSE(session.is_final(expired, true));
  EXPECT_TRUE(session.is_final(expired, false));
  session.begin_call();
  EXPECT_TRUE(session.is_final(expired, true));
}

TEST(SessionTest, ResumesFromAState) {
  State earlier;
  earlier.token = "t1";
  earlier.roster["a"] = participant("a");
  earlier.fresh = true;
  Session session("conf", {.resume_from = earlier});
  EXPECT_EQ(session.begin_call().resume_token(), "t1");
  EXPECT_FALSE(session.apply(checkpoint("t1", "", 1)));
  const auto state = session.apply(changes("t2", {{v2::CHANGE_KIND_ADDED, "b"}}));
  ASSERT_TRUE(state);
  EXPECT_THAT(ids(*state), ElementsAre("a", "b"));
}

TEST(SessionTest, IgnoresAStateWithoutAToken) {
  State earlier;
  earlier.roster["a"] = participant("a");
  Session session("conf", {.resume_from = earlier});
  session.begin_call();
  EXPECT_THAT(session.disconnect(kUnavailable).value().roster, IsEmpty());
}

}  // namespace
}  // namespace audian::conference::internal
