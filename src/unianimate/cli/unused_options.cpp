#include "unianimate/cli/unused_options.h"

#include <CLI/CLI.hpp>
#include <string>

#include "unianimate/core/error.h"

namespace unianimate::cli {

void refuse_given(const CLI::App& command, std::span<const std::string_view> names, std::string_view when) {
  for (const std::string_view name : names) {
    if (command.get_option(std::string(name))->count() == 0) continue;
    throw Error(ErrorKind::kUsage, "{} has no effect {}; leave it out", name, when);
  }
}

}  // namespace unianimate::cli
