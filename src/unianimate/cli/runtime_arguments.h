// The options that all computing commands share.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/pipeline/plan.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace unianimate::cli {

struct RuntimeArguments {
  std::string models;
  std::string device = "auto";
  std::string dtype = "auto";
  int threads = 0;
  std::vector<std::string> loras;
  bool allow_nonfinite = false;
  std::string memory_budget;
  std::string latent_memory;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
};

/// --models, --lora, --allow-nonfinite, --device, --dtype, --threads, --memory-budget, --latent-memory, --dry-run,
/// --json, --quiet.
void add_runtime_options(CLI::App& command, RuntimeArguments& arguments);

/// --threads alone.
CLI::Option* add_threads_option(CLI::App& command, int& threads);

/// "FILE" or "FILE:SCALE"; what stands behind the last colon and is no number belongs to the file's name.
family::LoraFile parse_lora(std::string_view text);

/// Loads the CUDA libraries as far as the device asks for them, so call it before anything computes, and settles
/// threads, device, dtype and memory. Throws Error(kUsage), Error(kEnvironment).
family::RuntimeOptions prepare_runtime(const RuntimeArguments& arguments);

}  // namespace unianimate::cli
