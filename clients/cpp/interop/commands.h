// The commands of the conformance program.
#ifndef AUDIAN_CONFERENCE_INTEROP_COMMANDS_H_
#define AUDIAN_CONFERENCE_INTEROP_COMMANDS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "json.h"
#include "streams.h"

namespace interop {

class Commands {
 public:
  // Runs one command and prints its outcome. Watches and batches go on in the background.
  void run(const json& command);

 private:
  // Returns the line to print, or nothing for a call in the background.
  std::optional<json> dispatch(const std::string& id, const std::string& call, const json& command);

  json connect(const json& command);
  json stop(const json& command);
  void watch(const std::string& id, const json& command);
  void batch(const std::string& id, const json& command);
  const Connection& connection() const;

  std::optional<Connection> connection_;
  std::map<std::string, std::shared_ptr<WatchStream>> watches_;
  std::map<std::string, std::shared_ptr<Stream>> streams_;
};

}  // namespace interop

#endif  // AUDIAN_CONFERENCE_INTEROP_COMMANDS_H_
