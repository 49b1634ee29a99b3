// Short forms of the gateway's messages and errors.
#ifndef AUDIAN_CONFERENCE_TESTS_MESSAGES_H_
#define AUDIAN_CONFERENCE_TESTS_MESSAGES_H_

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "audian/conference/watch.h"

namespace audian::conference::testing {

using Message = v2::WatchParticipantsResponse;

inline v2::Participant participant(
    const std::string& id, v2::ParticipantStatus status = v2::PARTICIPANT_STATUS_CONNECTED) {
  v2::Participant result;
  result.set_id(id);
  result.set_status(status);
  return result;
}

inline Message snapshot(const std::string& token, std::initializer_list<const char*> ids) {
  Message message;
  message.set_resume_token(token);
  auto& snapshot = *message.mutable_snapshot();
  snapshot.set_reason(v2::SNAPSHOT_REASON_INITIAL);
  for (const char* id : ids) *snapshot.add_participants() = participant(id);
  return message;
}

struct Change {
  v2::ChangeKind kind;
  const char* id;
};

inline Message changes(const std::string& token, std::initializer_list<Change> changes) {
  Message message;
  message.set_resume_token(token);
  message.mutable_changes();
  for (const Change& change : changes) {
    auto& added = *message.mutable_changes()->add_changes();
    added.set_kind(change.kind);
    *added.mutable_participant() = participant(change.id, v2::PARTICIPANT_STATUS_HELD);
  }
  return message;
}

// A FRESH checkpoint, or a STALE one if there is a reason.
inline Message checkpoint(const std::string& token, const std::string& stale_reason = {},
                          std::optional<int> count = std::nullopt) {
  Message message;
  message.set_resume_token(token);
  auto& checkpoint = *message.mutable_checkpoint();
  checkpoint.set_freshness(stale_reason.empty() ? v2::FRESHNESS_FRESH : v2::FRESHNESS_STALE);
  checkpoint.set_stale_reason(stale_reason);
  if (count) checkpoint.set_participant_count(*count);
  return message;
}

inline Message end(const std::string& token) {
  Message message;
  message.set_resume_token(token);
  message.mutable_end()->set_reason(v2::WATCH_END_REASON_CONFERENCE_GONE);
  return message;
}

inline std::vector<std::string> ids(const State& state) {
  std::vector<std::string> result;
  for (const auto& [id, participant] : state.roster) result.push_back(id);
  return result;
}

inline grpc::Status status(grpc::StatusCode code,
                           std::initializer_list<const google::protobuf::Message*> details) {
  google::rpc::Status proto;
  proto.set_code(code);
  for (const auto* detail : details) proto.add_details()->PackFrom(*detail);
  return {code, "message", proto.SerializeAsString()};
}

inline google::rpc::RetryInfo retry_info(int seconds) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(seconds);
  return info;
}

inline google::rpc::ErrorInfo error_info(const std::string& reason,
                                         const std::string& domain = "participant-gateway") {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(domain);
  return info;
}

}  // namespace audian::conference::testing

#endif  // AUDIAN_CONFERENCE_TESTS_MESSAGES_H_
