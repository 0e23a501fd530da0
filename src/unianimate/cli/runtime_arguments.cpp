#include "unianimate/cli/runtime_arguments.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "unianimate/cli/integer_option.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/studio/machine.h"

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
  family::RuntimeOptions options;
  options.compute = studio::prepare_machine({arguments.device, arguments.dtype, arguments.threads});
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
  return options;
}

}  // namespace unianimate::cli
