#ifndef AUDIAN_CONFERENCE_SRC_CREDENTIAL_H_
#define AUDIAN_CONFERENCE_SRC_CREDENTIAL_H_

#include <grpcpp/client_context.h>

#include "audian/conference/client.h"

namespace audian::conference::internal {

// Throws Error (INVALID_ARGUMENT) if a fixed credential cannot be sent.
void check(const Credential& credential);

// Adds the credential to a call. Throws as Client::authorize().
void authorize(const Credential& credential, grpc::ClientContext& context);

// Whether the credential can be another one at the next call.
bool renewable(const Credential& credential);

}  // namespace audian::conference::internal

#endif  // AUDIAN_CONFERENCE_SRC_CREDENTIAL_H_
