#include "credential.h"

#include <algorithm>
#include <exception>
#include <string>

namespace audian::conference::internal {
namespace {

using Function = std::function<std::string()>;

// gRPC ends the process if metadata has other characters. The error must not contain the secret.
void check_text(const std::string& text) {
  if (!std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; })) {
    throw Error(grpc::INVALID_ARGUMENT,
                "the credential has characters that are not printable ASCII");
  }
}

std::string text_of(const Function& function) try {
  return function ? function() : std::string();
} catch (const Error&) {
  throw;
} catch (const std::exception& error) {
  throw Error(grpc::UNAVAILABLE, std::string("the credential function failed: ") + error.what(),
              kCredentialUnavailable);
}

}  // namespace

void check(const Credential& credential) {
  if (const auto* text = std::get_if<std::string>(&credential)) check_text(*text);
}

void authorize(const Credential& credential, grpc::ClientContext& context) {
  const auto* function = std::get_if<Function>(&credential);
  const std::string text = function ? text_of(*function) : std::get<std::string>(credential);
  if (text.empty()) return;
  check_text(text);
  context.AddMetadata("authorization", "Bearer " + text);
}

bool renewable(const Credential& credential) {
  return std::holds_alternative<Function>(credential);
}

}  // namespace audian::conference::internal
