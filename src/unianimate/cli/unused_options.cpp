#include "unianimate/cli/unused_options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string>

#include "unianimate/core/error.h"

namespace unianimate::cli {

void refuse_given(const CLI::App& command, std::span<const std::string_view> names, std::string_view when) {
  for (const std::string_view name : names) {
    if (command.get_option(std::string(name))->count() == 0) continue;
    throw Error(ErrorKind::kUsage, "{} has no effect {}; leave it out", name, when);
  }
}

studio::RefuseGiven refusal_of(const CLI::App& command) {
  return [&command](std::span<const std::string_view> fields, std::string_view when) {
    for (const std::string_view field : fields) {
      const std::string name = "--" + std::string(field);
      refuse_given(command, std::array<std::string_view, 1>{name}, when);
    }
  };
}

}  // namespace unianimate::cli
