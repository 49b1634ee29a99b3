#include "session.h"

#include <algorithm>
#include <utility>

namespace audian::conference::internal {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBackoff{250};
constexpr milliseconds kLongestBackoff{10'000};

bool is_final_code(grpc::StatusCode code) {
  switch (code) {
    case grpc::INVALID_ARGUMENT:
    case grpc::NOT_FOUND:
    case grpc::PERMISSION_DENIED:
    case grpc::UNAUTHENTICATED:
    case grpc::FAILED_PRECONDITION:
    case grpc::UNIMPLEMENTED:
    case grpc::OUT_OF_RANGE:
    case grpc::ALREADY_EXISTS:
      return true;
    default:
      return false;
  }
}

google::protobuf::Duration to_duration(milliseconds time) {
  google::protobuf::Duration duration;
  duration.set_seconds(time.count() / 1000);
  duration.set_nanos(static_cast<int>(time.count() % 1000) * 1'000'000);
  return duration;
}

bool removes(const v2::ParticipantChange& change) {
  return change.kind() == v2::CHANGE_KIND_REMOVED || change.kind() == v2::CHANGE_KIND_LEFT_FILTER;
}

}  // namespace

Session::Session(std::string conference, WatchOptions options)
    : conference_(std::move(conference)), options_(std::move(options)), backoff_(kFirstBackoff) {
  if (const auto& state = options_.resume_from; state && !state->token.empty()) {
    token_ = state->token;
    roster_ = state->roster;
    shown_ = {state->fresh, state->stale_reason};
  }
}

v2::WatchParticipantsRequest Session::begin_call() {
  got_message_ = false;
  v2::WatchParticipantsRequest request;
  request.set_conference_id(conference_);
  request.set_resume_token(token_);
  request.mutable_statuses()->Add(options_.statuses.begin(), options_.statuses.end());
  request.mutable_roles()->Add(options_.roles.begin(), options_.roles.end());
  request.mutable_participant_ids()->Add(options_.participant_ids.begin(),
                                         options_.participant_ids.end());
  *request.mutable_heartbeat_interval() = to_duration(options_.heartbeat_interval);
  return request;
}

std::optional<State> Session::apply(const v2::WatchParticipantsResponse& message) {
  got_message_ = true;
  disconnected_ = false;
  backoff_ = kFirstBackoff;
  std::optional<State> state = apply_event(message);
  token_ = message.resume_token();
  if (state) state->token = token_;
  return state;
}

std::optional<State> Session::apply_event(const v2::WatchParticipantsResponse& message) {
  switch (message.event_case()) {
    case v2::WatchParticipantsResponse::kSnapshot:
      return apply_snapshot(message.snapshot());
    case v2::WatchParticipantsResponse::kChanges:
      return apply_changes(message.changes());
    case v2::WatchParticipantsResponse::kCheckpoint:
      return apply_checkpoint(message.checkpoint());
    case v2::WatchParticipantsResponse::kEnd:
      return apply_end(message.end());
    case v2::WatchParticipantsResponse::EVENT_NOT_SET:
      break;  // An event of a newer gateway.
  }
  return std::nullopt;
}

State Session::apply_snapshot(const v2::ParticipantSnapshot& snapshot) {
  roster_.clear();
  for (const auto& participant : snapshot.participants()) {
    roster_.insert_or_assign(participant.id(), participant);
  }
  if (snapshot.has_total()) total_ = snapshot.total();
  if (snapshot.has_active()) active_ = snapshot.active();
  State state = make_state(State::Kind::kSnapshot, reported_);
  state.snapshot_reason = snapshot.reason();
  return state;
}

State Session::apply_changes(const v2::ParticipantChanges& changes) {
  for (const auto& change : changes.changes()) {
    const v2::Participant& participant = change.participant();
    if (removes(change)) {
      roster_.erase(participant.id());
    } else {
      roster_.insert_or_assign(participant.id(), participant);
    }
  }
  State state = make_state(State::Kind::kChanges, reported_);
  state.changes.assign(changes.changes().begin(), changes.changes().end());
  return state;
}

std::optional<State> Session::apply_checkpoint(const v2::Checkpoint& checkpoint) {
  if (checkpoint.has_total()) total_ = checkpoint.total();
  if (checkpoint.has_active()) active_ = checkpoint.active();
  reported_ = {checkpoint.freshness() == v2::FRESHNESS_FRESH, checkpoint.stale_reason()};
  if (checkpoint.has_participant_count() &&
      std::cmp_not_equal(checkpoint.participant_count(), roster_.size())) {
    throw Error(grpc::DATA_LOSS,
                "the roster has " + std::to_string(roster_.size()) +
                    " participants, the gateway reports " +
                    std::to_string(checkpoint.participant_count()),
                kRosterMismatch);
  }
  if (reported_ == shown_) return std::nullopt;
  return make_state(State::Kind::kFreshness, reported_);
}

State Session::apply_end(const v2::WatchEnd& end) {
  State state = make_state(State::Kind::kEnd, reported_);
  state.end_reason = end.reason();
  return state;
}

bool Session::is_final(const Error& error, bool renews_credential) const {
  // A credential that expired during the call can be replaced.
  if (error.code() == grpc::UNAUTHENTICATED && got_message_ && renews_credential) return false;
  return is_final_code(error.code());
}

std::optional<State> Session::disconnect(const Error& error) {
  // The next call starts again with a snapshot.
  if (error.reason() == kRosterMismatch) token_.clear();
  pause_ = std::max(error.retry_delay().value_or(milliseconds::zero()), backoff_);
  backoff_ = std::min(backoff_ * 2, kLongestBackoff);
  if (std::exchange(disconnected_, true)) return std::nullopt;
  State state = make_state(State::Kind::kDisconnected, {false, "DISCONNECTED"});
  state.error = error;
  return state;
}

State Session::make_state(State::Kind kind, const FreshnessReport& freshness) {
  shown_ = freshness;
  State state;
  state.kind = kind;
  state.roster = roster_;
  state.fresh = freshness.fresh;
  state.stale_reason = freshness.stale_reason;
  state.total = total_;
  state.active = active_;
  state.token = token_;
  return state;
}

}  // namespace audian::conference::internal
