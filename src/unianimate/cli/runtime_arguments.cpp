#include "unianimate/cli/runtime_arguments.h"

#include <array>

#include "unianimate/family/lora_fields.h"
#include "unianimate/studio/machine.h"

template <>
struct unianimate::fields::TextForm<unianimate::DeviceChoice> {
  static std::string text(DeviceChoice device) {
    static constexpr std::array kNames{"auto", "cpu", "cuda"};
    return kNames.at(static_cast<std::size_t>(device));
  }
  static DeviceChoice parse(std::string_view text) { return parse_device(text); }
};

template <>
struct unianimate::fields::TextForm<unianimate::DTypeChoice> {
  static std::string text(DTypeChoice dtype) {
    static constexpr std::array kNames{"auto", "fp32", "bf16", "fp16", "int8"};
    return kNames.at(static_cast<std::size_t>(dtype));
  }
  static DTypeChoice parse(std::string_view text) { return parse_dtype(text); }
};

namespace unianimate::cli {

namespace {

constexpr auto kGroup = fields::group("Machine and messages");

}  // namespace

void visit(fields::Archive& archive, MessageArguments& arguments) {
  archive("json", arguments.json, kGroup, "One JSON object a line on stdout: progress, result, error");
  archive("quiet", arguments.quiet, kGroup, "No progress and no notes");
  archive("profile", arguments.profile, kGroup, fields::type("FILE"),
          "Write where the time goes: phases, steps and operators, as JSON for ui.perfetto.dev or chrome://tracing");
}

void visit(fields::Archive& archive, RuntimeArguments& arguments) {
  constexpr double kMostThreads = 1024;
  archive("models", arguments.models, kGroup, fields::type("DIR"),
          "Folder of the models (default: $UNIANIMATE_MODELS or ./checkpoints, else the embedded model)");
  archive.list("loras", arguments.loras, kGroup, fields::option("--lora"), fields::type("FILE[:SCALE]"),
               "LoRA file (safetensors) to correct the UNet with, and how strongly (default: 1); may be given more "
               "than once");
  archive("allow_nonfinite", arguments.allow_nonfinite, kGroup,
          "Use weights that are not finite, with a note, instead of refusing them");
  archive("device", arguments.device, kGroup, fields::type("NAME"), "auto, cpu or cuda");
  archive("dtype", arguments.dtype, kGroup, fields::type("NAME"),
          "Number format: auto, fp32, bf16, fp16 (CUDA only) or int8 (CPU only)");
  archive("threads", arguments.threads, kGroup, fields::range(1, kMostThreads), fields::kUntoldDefault,
          "Threads to compute and encode with (default: one for each core)");
  archive("memory_budget", arguments.memory_budget, kGroup, fields::kBytes, fields::above(0),
          "Memory the program may use, for example 9GB (default: what is free)");
  archive("latent_memory", arguments.latent_memory, kGroup, fields::kBytes, fields::kUntoldDefault,
          "Latents of long videos beyond this lie in a temporary file (default: 256MB)");
  archive("dry_run", arguments.dry_run, kGroup, "Check everything, say what would run, and stop");
  visit(archive, arguments.messages);
}

family::RuntimeOptions prepare_runtime(const RuntimeArguments& arguments) {
  family::RuntimeOptions options;
  options.compute = studio::prepare_machine({arguments.device, arguments.dtype, arguments.threads});
  options.memory_budget = arguments.memory_budget.value_or(0);
  options.latent_memory = arguments.latent_memory;
  options.allow_nonfinite = arguments.allow_nonfinite;
  options.loras = arguments.loras;
  return options;
}

}  // namespace unianimate::cli
