#include "unianimate/checkpoint/convert.h"

#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"

namespace unianimate::checkpoint {

ConvertReport convert_checkpoint(const std::filesystem::path& input, const std::filesystem::path& output,
                                 std::optional<at::ScalarType> floating_type, Progress& progress) {
  const Checkpoint checkpoint = open_checkpoint(input);
  std::vector<TensorPlan> plans;
  for (const TensorEntry& entry : checkpoint.tensors()) {
    const bool convert = floating_type && is_floating(entry.type);
    plans.push_back({entry.name, convert ? *floating_type : scalar_type(entry.type), entry.shape});
  }
  SafetensorsWriter writer(output, plans, checkpoint.metadata());
  progress.begin_phase("convert", static_cast<std::int64_t>(plans.size()));
  ConvertReport report;
  for (const std::size_t i : checkpoint.file_order()) {
    progress.throw_if_cancelled();
    const TensorEntry& entry = checkpoint.tensors()[i];
    writer.write(entry.name, materialize(checkpoint, entry));
    report.bytes += entry.elements() * element_size(element_type(plans[i].type));
    progress.step(++report.tensors);
  }
  writer.finish();
  return report;
}

}  // namespace unianimate::checkpoint
