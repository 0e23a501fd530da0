#include "unianimate/checkpoint/convert.h"

#include <span>

#include "unianimate/checkpoint/finite.h"
#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/checkpoint/weights_hash.h"
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

/// Of weights in 8 bits, beside which it stands and which mean nothing without it.
bool is_scale_of_int8(const Checkpoint& checkpoint, const TensorEntry& entry) {
  constexpr std::string_view kSuffix = "_scale";
  if (!entry.name.ends_with(kSuffix)) return false;
  const TensorEntry* const weight = checkpoint.find(entry.name.substr(0, entry.name.size() - kSuffix.size()));
  return weight != nullptr && weight->type == ElementType::kInt8;
}

/// The input's own; where values are rounded to what does not tell them apart as bf16 does, with what they were.
Metadata metadata_of(const Checkpoint& checkpoint, std::optional<at::ScalarType> type) {
  Metadata metadata = checkpoint.metadata();
  if (type == at::kHalf) metadata[kWeightsHashField] = weights_hash(checkpoint);
  return metadata;
}

}  // namespace

Checkpoint open_to_convert(const std::filesystem::path& input, const std::filesystem::path& output) {
  if (output.extension() != ".safetensors") {
    throw Error(ErrorKind::kUsage, "the output's name must end in .safetensors, found '{}'",
                printable(output.string()));
  }
  Checkpoint checkpoint = open_checkpoint(input);
  Inputs inputs;
  for (const std::string& file : checkpoint.file_names()) inputs.add(file);
  inputs.refuse(output);
  return checkpoint;
}

ConvertReport convert_checkpoint(const std::filesystem::path& input, const std::filesystem::path& output,
                                 const ConvertOptions& options, Progress& progress) {
  const Checkpoint checkpoint = open_to_convert(input, output);
  checkpoint.verify_other_members();
  std::vector<TensorPlan> plans;
  for (const TensorEntry& entry : checkpoint.tensors()) {
    const bool convert = options.floating_type && is_floating(entry.type);
    if (convert && is_scale_of_int8(checkpoint, entry)) {
      throw Error(
          ErrorKind::kUsage,
          "{} holds weights in 8 bits and their scales, which stay as they are; convert the file that it was made "
          "from",
          printable(input.string()));
    }
    plans.push_back({entry.name, convert ? *options.floating_type : scalar_type(entry.type), entry.shape});
  }
  SafetensorsWriter writer(output, plans, metadata_of(checkpoint, options.floating_type));
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
