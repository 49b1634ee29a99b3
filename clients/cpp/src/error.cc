#include "audian/conference/error.h"

#include <google/rpc/code.pb.h>
#include <google/rpc/error_details.pb.h>

#include <algorithm>
#include <utility>

namespace audian::conference {
namespace {

constexpr std::string_view kDomain = "participant-gateway";

google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) details.Clear();
  details.set_code(status.error_code());
  details.set_message(status.error_message());
  return details;
}

// gRPC too reports codes that it does not know as UNKNOWN.
grpc::StatusCode to_code(int code) {
  return google::rpc::Code_IsValid(code) ? static_cast<grpc::StatusCode>(code) : grpc::UNKNOWN;
}

std::string name_of(grpc::StatusCode code) {
  return google::rpc::Code_Name(static_cast<google::rpc::Code>(code));
}

std::string reason_of(const google::rpc::Status& status) {
  google::rpc::ErrorInfo info;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&info) && info.domain() == kDomain) return info.reason();
  }
  return {};
}

std::string text(grpc::StatusCode code, std::string_view reason, std::string_view message) {
  std::string text = name_of(code);
  if (!reason.empty()) text.append(" ").append(reason);
  return text.append(": ").append(message);
}

// The gateway's longest delay is the rest of a day; the limits keep arithmetic on times safe.
std::chrono::milliseconds to_milliseconds(const google::protobuf::Duration& duration) {
  using namespace std::chrono;
  const seconds whole(std::clamp<std::int64_t>(duration.seconds(), 0, 24 * 3600));
  return whole + duration_cast<milliseconds>(nanoseconds(std::max(duration.nanos(), 0)));
}

}  // namespace

Error::Error(const grpc::Status& status) : Error(details_of(status)) {}

Error::Error(const google::rpc::Status& status)
    : Error(to_code(status.code()), status.message(), reason_of(status)) {
  add_details(status);
}

Error::Error(grpc::StatusCode code, std::string message, std::string_view reason)
    : std::runtime_error(text(code, reason, message)),
      code_(code),
      message_(std::move(message)),
      reason_(reason) {}

std::string Error::code_name() const { return name_of(code_); }

std::optional<Dialled> Error::dialled() const {
  const auto entry = metadata_.find("dialled");
  if (entry == metadata_.end()) return std::nullopt;
  return entry->second == "no" ? Dialled::kNo : Dialled::kUnknown;
}

void Error::add_details(const google::rpc::Status& status) {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&info) && info.domain() == kDomain) {
      metadata_ = {info.metadata().begin(), info.metadata().end()};
    } else if (any.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        violations_.push_back({violation.field(), violation.description()});
      }
    } else if (any.UnpackTo(&retry)) {
      retry_delay_ = to_milliseconds(retry.retry_delay());
    }
  }
}

}  // namespace audian::conference
