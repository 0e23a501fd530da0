#include "unianimate/cli/runtime_arguments.h"

#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "unianimate/cli/integer_option.h"
#include "unianimate/core/device.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/core/threads.h"
#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::cli {

CLI::Option* add_threads_option(CLI::App& command, int& threads) {
  constexpr int kMostThreads = 1024;
  return add_integer_option(command, "--threads", threads,
                            "Threads to compute and encode with (default: one for each core)")
      ->default_str("")
      ->check(CLI::Range(1, kMostThreads));
}

void add_runtime_options(CLI::App& command, RuntimeArguments& arguments) {
  const std::string group = "Machine and messages";
  command
      .add_option("--models", arguments.models,
                  "Folder of the models (default: $UNIANIMATE_MODELS or ./checkpoints, else the embedded model)")
      ->type_name("DIR")
      ->group(group);
  command
      .add_option("--lora", arguments.loras,
                  "LoRA file (safetensors) to correct the UNet with, and how strongly (default: 1); may be given more "
                  "than once")
      ->type_name("FILE[:SCALE]")
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_flag("--allow-nonfinite", arguments.allow_nonfinite,
                "Use weights that are not finite, with a note, instead of refusing them")
      ->group(group);
  command.add_option("--device", arguments.device, "auto, cpu or cuda")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(group);
  command.add_option("--dtype", arguments.dtype, "Number format: auto, fp32, bf16 or fp16 (CUDA only)")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(group);
  add_threads_option(command, arguments.threads)->group(group);
  command
      .add_option("--memory-budget", arguments.memory_budget,
                  "Memory the program may use, for example 9GB (default: what is free)")
      ->type_name("SIZE")
      ->group(group);
  command
      .add_option("--latent-memory", arguments.latent_memory,
                  "Latents of long videos beyond this lie in a temporary file (default: 256MB)")
      ->type_name("SIZE")
      ->group(group);
  command.add_flag("--dry-run", arguments.dry_run, "Check everything, say what would run, and stop")->group(group);
  command.add_flag("--json", arguments.json, "One JSON object a line on stdout: progress, result, error")->group(group);
  command.add_flag("--quiet", arguments.quiet, "No progress and no notes")->group(group);
}

family::LoraFile parse_lora(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {text};
  const std::string_view number = text.substr(colon + 1);
  double scale = 0;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), scale);
  if (problem != std::errc() || end != number.data() + number.size()) return {text};
  return {text.substr(0, colon), scale};
}

family::RuntimeOptions prepare_runtime(const RuntimeArguments& arguments) {
  const DeviceChoice device = parse_device(arguments.device);
  load_cuda_libraries(device);
  family::RuntimeOptions options;
  options.compute = choose_compute(device, parse_dtype(arguments.dtype));
  if (!arguments.memory_budget.empty()) {
    options.memory_budget = parse_bytes(arguments.memory_budget, "--memory-budget");
    if (options.memory_budget == 0) {
      throw Error(ErrorKind::kUsage, "--memory-budget must be above 0; leave it out to use what is free");
    }
  }
  if (!arguments.latent_memory.empty()) {
    options.latent_memory = parse_bytes(arguments.latent_memory, "--latent-memory");
  }
  options.allow_nonfinite = arguments.allow_nonfinite;
  for (const std::string& lora : arguments.loras) options.loras.push_back(parse_lora(lora));
  if (arguments.threads > 0) {
    at::set_num_threads(arguments.threads);
  } else if (const int allowed = library_threads(0); allowed > 0) {
    at::set_num_threads(std::min(allowed, at::get_num_threads()));
  }
  return options;
}

namespace {

/// What the command line or the environment names; empty where neither does.
std::filesystem::path chosen_models(const std::string& given) {
  if (!given.empty()) return given;
  const char* const from_environment = std::getenv("UNIANIMATE_MODELS");
  return from_environment != nullptr ? from_environment : "";
}

bool embedded_model_exists() {
  std::error_code problem;
  const bool exists = std::filesystem::exists(family::model_files_to_write(UNIANIMATE_EMBEDDED_MODEL).unet, problem);
  if (problem == std::errc::permission_denied) {
    throw Error(ErrorKind::kEnvironment,
                "this user may not look into {}, where the embedded model lies; let others read it and enter the "
                "folders above it (chmod a+rX), or give models of your own with --models",
                UNIANIMATE_EMBEDDED_MODEL);
  }
  return exists;
}

}  // namespace

std::filesystem::path models_folder(const std::string& given) {
  const std::filesystem::path chosen = chosen_models(given);
  return chosen.empty() ? "checkpoints" : chosen;
}

std::filesystem::path models_to_animate_with(const std::string& given) {
  const std::filesystem::path folder = models_folder(given);
  if (!chosen_models(given).empty() || !embedded_model_exists()) return folder;
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) {
    for (const family::PublishedFile& file : family::list_published_files(folder)) {
      if (file.role == "UNet" && file.found) return folder;
    }
  }
  return UNIANIMATE_EMBEDDED_MODEL;
}

void tell_models(const std::filesystem::path& models, Progress& progress) {
  if (models != UNIANIMATE_EMBEDDED_MODEL) return;
  progress.note(
      "the embedded model is used: small, and trained on procedural people; give --models for the published ones");
}

}  // namespace unianimate::cli
