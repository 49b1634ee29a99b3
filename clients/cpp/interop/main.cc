// The conformance program: reads commands from stdin and prints outcomes to stdout, one JSON object
// a line. At the end of stdin it cancels what is open.
#include <iostream>

#include "commands.h"

int main() {
  interop::Commands commands;
  for (std::string line; std::getline(std::cin, line);) {
    const auto command = nlohmann::json::parse(line, nullptr, false);
    if (command.is_object()) {
      commands.run(command);
    } else {
      std::cerr << "not a JSON object: " << line << '\n';
    }
  }
}
