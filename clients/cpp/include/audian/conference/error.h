#ifndef AUDIAN_CONFERENCE_ERROR_H_
#define AUDIAN_CONFERENCE_ERROR_H_

#include <google/rpc/status.pb.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace audian::conference {

// The reasons of errors that this library makes itself.
// UNAVAILABLE: no message came for two heartbeat intervals.
inline constexpr std::string_view kSilent = "SILENT";
// UNAVAILABLE: the stream ended OK, but the conference did not end.
inline constexpr std::string_view kStreamEnded = "STREAM_ENDED";
// DATA_LOSS: the roster has another size than the gateway reports.
inline constexpr std::string_view kRosterMismatch = "ROSTER_MISMATCH";
// UNAVAILABLE: the credential function threw an exception.
inline constexpr std::string_view kCredentialUnavailable = "CREDENTIAL_UNAVAILABLE";

// Whether a phone may ring because of a failed add.
enum class Dialled {
  kNo,       // Surely no phone rings.
  kUnknown,  // A phone may ring.
};

// One invalid field of a request.
struct FieldViolation {
  std::string field;        // Such as `phone_number` or `entries[3].phone_number`.
  std::string description;  // For people.
};

// An error of a call, with the gateway's error details as typed values. what() contains the code,
// the reason and the message.
class Error : public std::runtime_error {
 public:
  // The error of a call that did not end OK.
  explicit Error(const grpc::Status& status);
  // The error of one entry of a batch.
  explicit Error(const google::rpc::Status& status);
  // An error without further details.
  Error(grpc::StatusCode code, std::string message, std::string_view reason = {});

  grpc::StatusCode code() const noexcept { return code_; }
  // The name of code(), such as `INVALID_ARGUMENT`.
  std::string code_name() const;
  // For people, not for programs.
  const std::string& message() const noexcept { return message_; }
  // The gateway's stable reason (docs/errors.md), or one of the constants above. Empty if the error
  // is not from the gateway, for example because there is no connection.
  const std::string& reason() const noexcept { return reason_; }
  // The metadata of the gateway's ErrorInfo.
  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }
  // Unset unless the call was an add or a batch, or the gateway knows that nothing was dialled.
  std::optional<Dialled> dialled() const;
  const std::vector<FieldViolation>& field_violations() const noexcept { return violations_; }
  // How long to wait before the next try. Unset if the gateway does not say.
  std::optional<std::chrono::milliseconds> retry_delay() const noexcept { return retry_delay_; }

 private:
  void add_details(const google::rpc::Status& status);

  grpc::StatusCode code_;
  std::string message_;
  std::string reason_;
  std::map<std::string, std::string> metadata_;
  std::vector<FieldViolation> violations_;
  std::optional<std::chrono::milliseconds> retry_delay_;
};

}  // namespace audian::conference

#endif  // AUDIAN_CONFERENCE_ERROR_H_
