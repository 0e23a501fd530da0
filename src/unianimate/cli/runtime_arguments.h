// The options that all computing commands share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "unianimate/core/device.h"
#include "unianimate/family/lora.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/fields/archive.h"

namespace unianimate::cli {

/// How a command tells what it does.
struct MessageArguments {
  bool json = false;
  bool quiet = false;
  std::filesystem::path profile;  ///< see Trace; empty: none
};

struct RuntimeArguments {
  std::filesystem::path models;  ///< empty: see models_folder()
  std::vector<family::LoraFile> loras;
  bool allow_nonfinite = false;
  DeviceChoice device = DeviceChoice::kAuto;
  DTypeChoice dtype = DTypeChoice::kAuto;
  int threads = 0;                            ///< 0: one for each core
  std::optional<std::int64_t> memory_budget;  ///< bytes; none: what is free
  std::int64_t latent_memory = family::RuntimeOptions().latent_memory;
  bool dry_run = false;
  MessageArguments messages;
};

void visit(fields::Archive& archive, MessageArguments& arguments);
void visit(fields::Archive& archive, RuntimeArguments& arguments);

/// Loads the CUDA libraries as far as the device asks for them, so call it before anything computes, and settles
/// threads, device, dtype and memory. Throws Error(kUsage), Error(kEnvironment).
family::RuntimeOptions prepare_runtime(const RuntimeArguments& arguments);

}  // namespace unianimate::cli
