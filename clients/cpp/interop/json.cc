#include "json.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace interop {
namespace {

constexpr std::string_view kStatusPrefix = "PARTICIPANT_STATUS_";
constexpr std::string_view kRolePrefix = "PARTICIPANT_ROLE_";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::toupper(c); });
  return result;
}

// The REST word of an enum's name. Values that the proto does not know have no name.
std::string word(const std::string& name, std::string_view prefix) {
  return name.empty() ? "unspecified" : lower(std::string_view(name).substr(prefix.size()));
}

std::string status_word(v2::ParticipantStatus status, const std::string* raw) {
  if (status == v2::PARTICIPANT_STATUS_UNSPECIFIED && raw) return *raw;
  return word(v2::ParticipantStatus_Name(status), kStatusPrefix);
}

std::string status_word(const v2::Participant& participant) {
  return status_word(participant.status(),
                     participant.has_raw_status() ? &participant.raw_status() : nullptr);
}

std::string role_word(const v2::Participant& participant) {
  if (participant.role() == v2::PARTICIPANT_ROLE_UNSPECIFIED && participant.has_raw_role()) {
    return participant.raw_role();
  }
  return word(v2::ParticipantRole_Name(participant.role()), kRolePrefix);
}

std::string kind_word(conference::State::Kind kind) {
  using Kind = conference::State::Kind;
  switch (kind) {
    case Kind::kSnapshot:
      return "snapshot";
    case Kind::kChanges:
      return "changes";
    case Kind::kFreshness:
      return "freshness";
    case Kind::kDisconnected:
      return "disconnected";
    case Kind::kEnd:
      return "end";
  }
  return "unknown";
}

json to_json(const conference::Roster& roster) {
  json object = json::object();
  for (const auto& [id, participant] : roster) {
    object[id] = status_word(participant) + (participant.muted() ? "+muted" : "");
  }
  return object;
}

json to_json(const v2::ParticipantChange& change) {
  json object = {{"kind", word(v2::ChangeKind_Name(change.kind()), "CHANGE_KIND_")},
                 {"participant", change.participant().id()},
                 {"status", status_word(change.participant())}};
  if (change.has_previous_status()) {
    object["previous_status"] =
        status_word(change.previous_status(),
                    change.has_previous_raw_status() ? &change.previous_raw_status() : nullptr);
  }
  return object;
}

template <class Value, class Parse>
std::vector<Value> values(const json& command, const char* name, Parse parse) {
  std::vector<Value> result;
  for (const auto& text : field<std::vector<std::string>>(command, name)) {
    result.push_back(parse(text));
  }
  return result;
}

}  // namespace

json to_json(const v2::Participant& participant) {
  return {{"id", participant.id()},
          {"phone_number", participant.phone_number()},
          {"name", participant.name()},
          {"role", role_word(participant)},
          {"status", status_word(participant)},
          {"muted", participant.muted()}};
}

json to_json(const conference::Error& error) {
  json object = {{"code", error.code_name()}, {"reason", error.reason()}};
  if (const auto dialled = error.dialled()) {
    object["dialled"] = *dialled == conference::Dialled::kNo ? "no" : "unknown";
  }
  for (const auto& violation : error.field_violations()) {
    object["fields"].push_back(violation.field);
  }
  if (const auto delay = error.retry_delay()) object["retry_after_ms"] = delay->count();
  return object;
}

json to_json(const conference::State& state) {
  json object = {{"state", kind_word(state.kind)},
                 {"roster", to_json(state.roster)},
                 {"fresh", state.fresh},
                 {"stale_reason", state.stale_reason}};
  if (state.total) object["total"] = *state.total;
  if (state.active) object["active"] = *state.active;
  if (state.error) object["error"] = to_json(*state.error);
  for (const auto& change : state.changes) object["changes"].push_back(to_json(change));
  if (state.kind == conference::State::Kind::kSnapshot) {
    object["reason"] = word(v2::SnapshotReason_Name(state.snapshot_reason), "SNAPSHOT_REASON_");
  }
  if (state.kind == conference::State::Kind::kEnd) {
    object["reason"] = word(v2::WatchEndReason_Name(state.end_reason), "WATCH_END_REASON_");
  }
  return object;
}

v2::ParticipantRole role_of(const std::string& word) {
  v2::ParticipantRole role = v2::PARTICIPANT_ROLE_UNSPECIFIED;
  if (!word.empty() && !v2::ParticipantRole_Parse(std::string(kRolePrefix) + upper(word), &role)) {
    throw std::invalid_argument("unknown role " + word);
  }
  return role;
}

v2::ParticipantStatus status_of(const std::string& word) {
  v2::ParticipantStatus status;
  if (!v2::ParticipantStatus_Parse(std::string(kStatusPrefix) + upper(word), &status)) {
    throw std::invalid_argument("unknown status " + word);
  }
  return status;
}

std::vector<v2::ParticipantRole> roles_of(const json& command) {
  return values<v2::ParticipantRole>(command, "roles", role_of);
}

std::vector<v2::ParticipantStatus> statuses_of(const json& command) {
  return values<v2::ParticipantStatus>(command, "statuses", status_of);
}

}  // namespace interop
