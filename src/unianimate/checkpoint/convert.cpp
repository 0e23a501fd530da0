#include "unianimate/checkpoint/convert.h"

#include <span>

#include "unianimate/checkpoint/finite.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/output_rule.h"

namespace unianimate::checkpoint {

namespace {

/// Refuses what is not finite in the planned type, or tells of it.
void check_values(const Checkpoint& checkpoint, const TensorEntry& entry, const at::Tensor& tensor,
                  at::ScalarType planned, bool allowed, Progress& progress) {
  const std::span bytes(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  const std::int64_t count = count_nonfinite(bytes, entry.type, planned);
  if (count == 0) return;
  const NonFinite found{entry.name, count, count_nonfinite(bytes, entry.type, scalar_type(entry.type)),
                        entry.elements(), planned};
  if (!allowed) {
    throw checkpoint.file().refusal("{}; {}, or write them anyway with --allow-nonfinite", found.sentence(),
                                    found.own > 0 ? "fetch the file again" : "choose --dtype bf16 or fp32");
  }
  progress.note(fmt::format("{}; they are written so", found.sentence()));
}

}  // namespace

void check_converted_output(const Checkpoint& input, const std::filesystem::path& output) {
  if (output.extension() != ".safetensors") {
    throw Error(ErrorKind::kUsage, "the output's name must end in .safetensors, found '{}'",
                printable(output.string()));
  }
  Inputs inputs;
  for (const std::string& file : input.file_names()) inputs.add(file);
  inputs.refuse(output);
}

ConvertReport convert_checkpoint(const std::filesystem::path& input, const std::filesystem::path& output,
                                 const ConvertOptions& options, Progress& progress) {
  const Checkpoint checkpoint = open_checkpoint(input);
  check_converted_output(checkpoint, output);
  checkpoint.verify_other_members();
  std::vector<TensorPlan> plans;
  for (const TensorEntry& entry : checkpoint.tensors()) {
    const bool convert = options.floating_type && is_floating(entry.type);
    plans.push_back({entry.name, convert ? *options.floating_type : scalar_type(entry.type), entry.shape});
  }
  SafetensorsWriter writer(output, plans, checkpoint.metadata());
  progress.begin_phase("convert", static_cast<std::int64_t>(plans.size()));
  ConvertReport report;
  for (const std::size_t i : checkpoint.file_order()) {
    progress.throw_if_cancelled();
    const TensorEntry& entry = checkpoint.tensors()[i];
    const at::Tensor tensor = materialize(checkpoint, entry);
    check_values(checkpoint, entry, tensor, plans[i].type, options.allow_nonfinite, progress);
    writer.write(entry.name, tensor);
    report.bytes += entry.elements() * element_size(element_type(plans[i].type));
    progress.step(++report.tensors);
  }
  writer.finish();
  return report;
}

}  // namespace unianimate::checkpoint
