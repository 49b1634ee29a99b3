// The JSON of the conformance program: REST words and flat objects.
#ifndef AUDIAN_CONFERENCE_INTEROP_JSON_H_
#define AUDIAN_CONFERENCE_INTEROP_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "audian/conference/client.h"

namespace interop {

using nlohmann::json;
namespace conference = audian::conference;
namespace v2 = audian::conference::v2;

json to_json(const v2::Participant& participant);
json to_json(const conference::Error& error);
json to_json(const conference::State& state);

// The field of a command, or the fallback if it is absent or null.
template <class T>
T field(const json& command, const char* name, T fallback = {}) {
  const auto entry = command.find(name);
  return entry == command.end() || entry->is_null() ? fallback : entry->get<T>();
}

// Throws std::invalid_argument if the word is unknown.
v2::ParticipantRole role_of(const std::string& word);
v2::ParticipantStatus status_of(const std::string& word);
std::vector<v2::ParticipantRole> roles_of(const json& command);
std::vector<v2::ParticipantStatus> statuses_of(const json& command);

}  // namespace interop

#endif  // AUDIAN_CONFERENCE_INTEROP_JSON_H_
