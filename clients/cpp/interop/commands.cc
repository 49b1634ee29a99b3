#include "commands.h"

#include <stdexcept>
#include <utility>

namespace interop {
namespace {

using conference::Client;
using Stub = Client::Stub;

json ok() { return {{"ok", true}}; }

json add(const Client& client, const json& command) {
  v2::AddParticipantRequest request;
  request.set_conference_id(field<std::string>(command, "conference"));
  request.set_phone_number(field<std::string>(command, "phone_number"));
  request.set_name(field<std::string>(command, "name"));
  request.set_role(role_of(field<std::string>(command, "role")));
  request.set_muted(field<bool>(command, "muted"));
  request.set_request_id(field<std::string>(command, "request_id"));
  request.set_validate_only(field<bool>(command, "validate_only"));
  request.set_wait_for_answer(field<bool>(command, "wait_for_answer"));
  return {{"participant", to_json(client.call(&Stub::AddParticipant, request).participant())}};
}

// A call about one participant that returns the participant, if the response contains one.
template <class Request, class Response>
json participant_call(const Client& client, const json& command,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                   Response*)) {
  Request request;
  request.set_conference_id(field<std::string>(command, "conference"));
  request.set_participant_id(field<std::string>(command, "participant"));
  const Response response = client.call(method, request);
  if (!response.has_participant()) return ok();
  return {{"participant", to_json(response.participant())}};
}

json remove(const Client& client, const json& command) {
  v2::RemoveParticipantRequest request;
  request.set_conference_id(field<std::string>(command, "conference"));
  request.set_participant_id(field<std::string>(command, "participant"));
  client.call(&Stub::RemoveParticipant, request);
  return ok();
}

template <class Request, class Response>
json conference_call(const Client& client, const json& command,
                     grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                  Response*)) {
  Request request;
  request.set_conference_id(field<std::string>(command, "conference"));
  client.call(method, request);
  return ok();
}

json list(const Client& client, const json& command) {
  v2::ListParticipantsRequest request;
  request.set_conference_id(field<std::string>(command, "conference"));
  request.set_page_size(field<int>(command, "page_size"));
  const auto statuses = statuses_of(command);
  const auto roles = roles_of(command);
  request.mutable_statuses()->Add(statuses.begin(), statuses.end());
  request.mutable_roles()->Add(roles.begin(), roles.end());

  json participants = json::array();
  int pages = 0;
  for (;;) {
    const auto response = client.call(&Stub::ListParticipants, request);
    ++pages;
    for (const auto& participant : response.participants()) {
      participants.push_back(to_json(participant));
    }
    if (response.next_page_token().empty()) {
      return {{"participants", participants},
              {"pages", pages},
              {"total", response.total()},
              {"active", response.active()}};
    }
    request.set_page_token(response.next_page_token());
  }
}

std::optional<json> unary(const Client& client, const std::string& call, const json& command) {
  if (call == "add") return add(client, command);
  if (call == "get") return participant_call(client, command, &Stub::GetParticipant);
  if (call == "mute") return participant_call(client, command, &Stub::MuteParticipant);
  if (call == "unmute") return participant_call(client, command, &Stub::UnmuteParticipant);
  if (call == "hold") return participant_call(client, command, &Stub::HoldParticipant);
  if (call == "resume") return participant_call(client, command, &Stub::ResumeParticipant);
  if (call == "disconnect") return participant_call(client, command, &Stub::DisconnectParticipant);
  if (call == "remove") return remove(client, command);
  if (call == "mute_all") return conference_call(client, command, &Stub::MuteAllParticipants);
  if (call == "refresh") return conference_call(client, command, &Stub::RefreshParticipants);
  if (call == "list") return list(client, command);
  return std::nullopt;
}

v2::BatchAddParticipantsRequest batch_request(const json& command) {
  v2::BatchAddParticipantsRequest request;
  request.set_conference_id(field<std::string>(command, "conference"));
  request.set_request_id(field<std::string>(command, "request_id"));
  request.set_resume(field<bool>(command, "resume"));
  for (const json& from : field<json>(command, "entries", json::array())) {
    v2::BatchEntry& entry = *request.add_entries();
    entry.set_phone_number(field<std::string>(from, "phone_number"));
    entry.set_name(field<std::string>(from, "name"));
    entry.set_role(role_of(field<std::string>(from, "role")));
  }
  return request;
}

}  // namespace

void Commands::run(const json& command) {
  const auto id = field<std::string>(command, "id");
  try {
    if (auto line = dispatch(id, field<std::string>(command, "call"), command)) print(id, *line);
  } catch (const conference::Error& error) {
    if (connection_) connection_->credentials->note(error);
    print(id, {{"error", to_json(error)}});
  } catch (const std::exception& error) {
    print(id, {{"error", {{"code", "UNKNOWN"}, {"reason", ""}, {"message", error.what()}}}});
  }
}

std::optional<json> Commands::dispatch(const std::string& id, const std::string& call,
                                       const json& command) {
  if (call == "connect") return connect(command);
  if (call == "stop") return stop(command);
  if (call == "watch") {
    watch(id, command);
    return std::nullopt;
  }
  if (call == "batch") {
    batch(id, command);
    return std::nullopt;
  }
  if (auto line = unary(connection().client, call, command)) return line;
  return json{{"unsupported", true}};
}

json Commands::connect(const json& command) {
  auto values = field<std::vector<std::string>>(command, "credentials");
  const bool renewable = !values.empty();
  if (!renewable) values.push_back(field<std::string>(command, "credential"));
  auto credentials = std::make_shared<Credentials>(values);
  conference::Credential credential = values.front();
  if (renewable) credential = [credentials] { return credentials->current(); };
  connection_.emplace(Client(field<std::string>(command, "target"), {.credential = credential}),
                      credentials);
  return ok();
}

json Commands::stop(const json& command) {
  const auto stream = streams_.find(field<std::string>(command, "watch"));
  if (stream != streams_.end()) stream->second->stop();
  return ok();
}

void Commands::watch(const std::string& id, const json& command) {
  conference::WatchOptions options{
      .statuses = statuses_of(command),
      .roles = roles_of(command),
      .participant_ids = field<std::vector<std::string>>(command, "participant_ids")};
  options.heartbeat_interval =
      std::chrono::milliseconds(static_cast<int>(field<double>(command, "heartbeat_s", 15) * 1000));
  const auto earlier = watches_.find(field<std::string>(command, "continue"));
  if (earlier != watches_.end()) options.resume_from = earlier->second->last_state();
  auto stream = std::make_shared<WatchStream>(
      id, connection(), field<std::string>(command, "conference"), std::move(options));
  streams_[id] = watches_[id] = std::move(stream);
}

void Commands::batch(const std::string& id, const json& command) {
  streams_[id] = std::make_shared<BatchStream>(id, connection(), batch_request(command));
}

const Connection& Commands::connection() const {
  if (!connection_) throw std::logic_error("connect comes first");
  return *connection_;
}

}  // namespace interop
