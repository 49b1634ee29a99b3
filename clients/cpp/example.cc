// Watches a conference and prints its changes.
// Usage: example [CONFERENCE]; GATEWAY_ADDR is the gateway's address, GATEWAY_KEY the credential.
#include <cstdlib>
#include <iostream>

#include "audian/conference/client.h"

using namespace audian::conference;  // NOLINT: an example

std::string env(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value ? value : fallback;
}

void print(const State& state) {
  for (const auto& change : state.changes) {
    std::cout << v2::ChangeKind_Name(change.kind()) << ' ' << change.participant().name() << ' '
              << v2::ParticipantStatus_Name(change.participant().status()) << '\n';
  }
  if (state.error) std::cout << state.error->what() << '\n';
  std::cout << state.roster.size() << " participants, fresh: " << std::boolalpha << state.fresh
            << std::endl;
}

int main(int argc, char** argv) try {
  Client client(env("GATEWAY_ADDR", "127.0.0.1:9090"), {.credential = env("GATEWAY_KEY", "")});
  Watch watch = client.watch(argc > 1 ? argv[1] : "conf_demo");
  for (const State& state : watch) print(state);
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
