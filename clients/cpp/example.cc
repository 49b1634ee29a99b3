// Watches a conference and prints who joins, changes and leaves.
// Usage: example [CONFERENCE [ADDRESS]], with the credential in GATEWAY_KEY.
#include <cstdlib>
#include <iostream>

#include "audian/conference/client.h"

namespace conference = audian::conference;
namespace v2 = audian::conference::v2;

namespace {

std::string env(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value ? value : fallback;
}

void print(const conference::State& state) {
  for (const auto& change : state.changes) {
    std::cout << v2::ChangeKind_Name(change.kind()) << ' ' << change.participant().name() << ' '
              << v2::ParticipantStatus_Name(change.participant().status()) << '\n';
  }
  if (state.error) std::cout << state.error->what() << '\n';
  std::cout << state.roster.size() << (state.fresh ? " participants" : " participants, not fresh")
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string address = argc > 2 ? argv[2] : env("GATEWAY_ADDR", "127.0.0.1:9090");
  const conference::Client client(address, {.credential = env("GATEWAY_KEY", "")});
  conference::Watch watch = client.watch(argc > 1 ? argv[1] : "conf_demo");
  for (const conference::State& state : watch) print(state);
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
