// Runs commands of the program in this process, which saves loading the libraries each time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"

namespace unianimate::testing {

/// As main() does, in `folder` and with this folder of models as UNIANIMATE_MODELS, which is unset where it is empty.
/// Not for commands that start processes of their own.
ProgramResult run_here(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                       const std::filesystem::path& models = {});

}  // namespace unianimate::testing
