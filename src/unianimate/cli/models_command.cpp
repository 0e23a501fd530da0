// unianimate models list | inspect | convert: what the checkpoint files are.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "unianimate/checkpoint/convert.h"
#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/memory.h"
#include "unianimate/families/families.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/model_recognition.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

struct InspectArguments {
  std::string file;
  bool all = false;
  bool json = false;
};

void visit(fields::Archive& archive, InspectArguments& arguments) {
  archive("file", arguments.file, fields::option("file"), fields::type("FILE"), fields::kRequired,
          "Checkpoint: PyTorch or safetensors");
  archive("all", arguments.all, "Show every tensor");
  archive("json", arguments.json, "One JSON object on stdout, with every tensor");
}

/// Of floating-point tensors.
enum class ConvertedType { kKeep, kFloat32, kBFloat16, kFloat16, kInt8 };
constexpr auto words(ConvertedType /*of*/) {
  return std::array<fields::Word<ConvertedType>, 5>{{{ConvertedType::kFloat32, "fp32"},
                                                     {ConvertedType::kBFloat16, "bf16"},
                                                     {ConvertedType::kFloat16, "fp16"},
                                                     {ConvertedType::kInt8, "int8"},
                                                     {ConvertedType::kKeep, "keep"}}};
}

struct ConvertArguments {
  std::string input;
  std::string output;
  ConvertedType dtype = ConvertedType::kKeep;
  bool allow_nonfinite = false;
  bool quiet = false;
};

void visit(fields::Archive& archive, ConvertArguments& arguments) {
  archive("input", arguments.input, fields::option("input"), fields::type("INPUT"), fields::kRequired,
          "Checkpoint: PyTorch or safetensors");
  archive("output", arguments.output, fields::option("output"), fields::type("OUTPUT.safetensors"), fields::kRequired,
          "File to write");
  archive("dtype", arguments.dtype,
          "Of floating-point tensors: fp32, bf16, fp16 or keep; int8: a UNet in 8 bits, measured with the models "
          "beside it");
  archive("allow_nonfinite", arguments.allow_nonfinite,
          "Write values that are not finite, in the file or in --dtype, instead of refusing them");
  archive("quiet", arguments.quiet, "No progress");
}

constexpr const char* kModelsExamples = R"(Examples:
  unianimate models list --models checkpoints
  unianimate models inspect checkpoints/unianimate_16f_32f_non_ema_223000.pth
  unianimate models convert checkpoints/open_clip_pytorch_model.bin checkpoints/open_clip_pytorch_model.safetensors)";

constexpr std::size_t kTensorsShown = 20;

void list_models(const fs::path& folder) {
  for (const family::PublishedFile& file : families::list_files(folder)) {
    std::string state = file.needed_to_animate ? "missing, needed to animate" : "missing";
    if (file.found) {
      std::error_code ignored;
      state = fmt::format("{} ({})", printable(file.found->string()),
                          format_bytes(static_cast<std::int64_t>(fs::file_size(*file.found, ignored))));
    }
    print(stdout, "{:<18}{:<40}{}\n", file.role, file.published_name, state);
  }
}

std::string text_of(const family::ModelSize& size) {
  return fmt::format("{}", fmt::join(size.values, ", "));
}

void print_inspection(const checkpoint::Checkpoint& checkpoint, const family::RecognisedModel& model, bool all) {
  print(stdout, "{}\n", printable(checkpoint.file_name()));
  print(stdout, "  container   {}\n", label(checkpoint.container()));
  print(stdout, "  tensors     {}, {} parameters, {}\n", checkpoint.tensors().size(), checkpoint.total_parameters(),
        format_bytes(checkpoint.total_bytes()));
  if (checkpoint.ignored_entries() > 0) print(stdout, "  beside them {} not used\n", checkpoint.ignored_entries());
  print(stdout, "  model       {}\n", model.role.empty() ? "none that this program knows" : model.role);
  if (!model.program.empty()) print(stdout, "  named by    {}\n", model.program);
  if (!model.prefix.empty()) print(stdout, "  prefix      {}\n", printable(model.prefix));
  for (const family::ModelSize& size : model.sizes) print(stdout, "    {:<22}{}\n", size.name, text_of(size));
  for (const std::string& note : model.notes) print(stdout, "  note        {}\n", printable(note, kMessageBytes));
  if (!model.problem.empty()) {
    print(stdout, "  problem     {}\n", printable(model.problem, kMessageBytes));
  } else {
    const bool checksums = checkpoint.container() == checkpoint::Container::kTorchZip;
    print(stdout, "  {}all values are finite{}\n",
          model.role.empty() ? "values      " : "complete    every tensor is there with its shape, ",
          checksums ? ", and checksums agree" : "");
  }
  const std::size_t shown = all ? checkpoint.tensors().size() : std::min(kTensorsShown, checkpoint.tensors().size());
  for (std::size_t i = 0; i < shown; ++i) {
    const checkpoint::TensorEntry& entry = checkpoint.tensors()[i];
    print(stdout, "  {:<6}{:<26}{}\n", label(entry.type), fmt::format("[{}]", fmt::join(entry.shape, ", ")),
          printable(entry.name));
  }
  if (shown < checkpoint.tensors().size()) {
    print(stdout, "  … and {} more; --all shows them\n", checkpoint.tensors().size() - shown);
  }
}

void print_inspection_as_json(const checkpoint::Checkpoint& checkpoint, const family::RecognisedModel& model) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const checkpoint::TensorEntry& entry : checkpoint.tensors()) {
    tensors.push_back({{"name", entry.name}, {"dtype", label(entry.type)}, {"shape", entry.shape}});
  }
  std::map<std::string, std::string> sizes;
  for (const family::ModelSize& size : model.sizes) sizes[size.name] = text_of(size);
  print_json_line({{"file", checkpoint.file_name()},
                   {"container", label(checkpoint.container())},
                   {"parameters", checkpoint.total_parameters()},
                   {"bytes", checkpoint.total_bytes()},
                   {"ignored_entries", checkpoint.ignored_entries()},
                   {"model", model.role},
                   {"named_by", model.program},
                   {"prefix", model.prefix},
                   {"notes", model.notes},
                   {"sizes", sizes},
                   {"problem", model.problem},
                   {"tensors", tensors}});
}

void inspect(const InspectArguments& arguments, Session& session) {
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(arguments.file);
  const family::RecognisedModel model = studio::recognise_model(checkpoint, arguments.file, *session.reporter);
  if (arguments.json) {
    print_inspection_as_json(checkpoint, model);
  } else {
    print_inspection(checkpoint, model, arguments.all);
  }
  if (!model.problem.empty()) session.exit_status = exit_status(ErrorKind::kInput);
}

std::optional<at::ScalarType> floating_type(ConvertedType type) {
  switch (type) {
    case ConvertedType::kFloat32:
      return at::kFloat;
    case ConvertedType::kBFloat16:
      return at::kBFloat16;
    case ConvertedType::kFloat16:
      return at::kHalf;
    case ConvertedType::kInt8:
    case ConvertedType::kKeep:
      break;
  }
  return std::nullopt;
}

void convert(const ConvertArguments& arguments, Session& session) {
  const checkpoint::ConvertReport report =
      arguments.dtype == ConvertedType::kInt8
          ? families::convert_to_int8(arguments.input, arguments.output, arguments.allow_nonfinite, *session.reporter)
          : checkpoint::convert_checkpoint(arguments.input, arguments.output,
                                           {floating_type(arguments.dtype), arguments.allow_nonfinite},
                                           *session.reporter);
  session.reporter = make_reporter(false, arguments.quiet);
  print(stdout, "{}: {} tensors, {}\n", printable(arguments.output), report.tensors, format_bytes(report.bytes));
}

}  // namespace

CommandWork add_models_command(CLI::App& command, Session& /*session*/) {
  command.require_subcommand(1);
  command.footer(kModelsExamples);
  return {};
}

CommandWork add_models_list_command(CLI::App& command, Session& /*session*/) {
  const auto folder = std::make_shared<std::string>();
  command.add_option("--models", *folder, "Folder of the models (default: $UNIANIMATE_MODELS or ./checkpoints)")
      ->type_name("DIR");
  command.footer(kModelsExamples);
  return {[folder] { list_models(studio::models_folder(*folder)); }};
}

CommandWork add_models_inspect_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, InspectArguments());
  command.footer(kModelsExamples);
  return {[options, &session] { inspect(options->taken<InspectArguments>(), session); }, options};
}

CommandWork add_models_convert_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, ConvertArguments());
  command.footer(kModelsExamples);
  return {[options, &session] { convert(options->taken<ConvertArguments>(), session); }, options};
}

}  // namespace unianimate::cli
