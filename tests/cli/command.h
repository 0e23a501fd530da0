// Runs commands of the program in this process, which saves loading the libraries each time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"

namespace unianimate::testing {

/// As main() does, in `folder`. Not for commands that start processes of their own.
ProgramResult run_here(const std::vector<std::string>& arguments, const std::filesystem::path& folder);

}  // namespace unianimate::testing
