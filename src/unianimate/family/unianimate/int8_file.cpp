#include "unianimate/family/unianimate/int8_file.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/checkpoint/weights_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/family/unianimate/int8_selection.h"
#include "unianimate/family/unianimate/int8_weights.h"

namespace unianimate::family {

namespace fs = std::filesystem;

namespace {

/// What the metadata calls the layers left in bf16.
constexpr const char* kLeftOut = "layers_not_in_int8";

/// What is written under one parameter's name.
struct Written {
  at::Tensor tensor;
  at::ScalarType type;
};

class Int8Writer {
 public:
  explicit Int8Writer(const std::vector<Int8Error>& errors) {
    for (const Int8Error& one : errors) errors_.insert_or_assign(one.layer + std::string(kWeightSuffix), one);
  }

  void plan(const NamedTensor& parameter) {
    if (!in_int8(parameter.name)) return add(parameter.name, at::kBFloat16, parameter.tensor.sizes().vec());
    add(parameter.name, at::kChar, parameter.tensor.sizes().vec());
    add(scale_name(parameter.name), at::kFloat, {parameter.tensor.size(0)});
  }

  /// What `input` says of itself, and which layers were left out.
  [[nodiscard]] checkpoint::Metadata metadata(checkpoint::Metadata input) const {
    nlohmann::ordered_json left = nlohmann::ordered_json::object();
    for (const auto& [weight, one] : errors_) {
      if (!fits_int8(one)) left[one.layer] = one.error;
    }
    input.insert_or_assign(kLeftOut, left.dump());
    return input;
  }

  [[nodiscard]] const std::vector<checkpoint::TensorPlan>& plans() const { return plans_; }
  [[nodiscard]] checkpoint::ConvertReport report() const {
    checkpoint::ConvertReport report;
    for (const checkpoint::TensorPlan& plan : plans_) {
      const std::int64_t elements = checkpoint::count_elements(plan.shape).value();
      report.bytes += elements * static_cast<std::int64_t>(c10::elementSize(plan.type));
      ++report.tensors;
    }
    return report;
  }

  void write(const NamedTensor& parameter, checkpoint::SafetensorsWriter& file) const {
    if (!in_int8(parameter.name)) return file.write(parameter.name, parameter.tensor);
    const nn::Int8Weight weight = nn::quantize_weight(parameter.tensor);
    file.write(parameter.name, weight.values);
    file.write(scale_name(parameter.name), weight.scales);
  }

 private:
  [[nodiscard]] bool in_int8(const std::string& parameter) const {
    const auto found = errors_.find(parameter);
    return found != errors_.end() && fits_int8(found->second);
  }
  static std::string scale_name(const std::string& weight) {
    return weight.substr(0, weight.size() - kWeightSuffix.size()) + std::string(kScaleSuffix);
  }
  void add(std::string name, at::ScalarType type, checkpoint::Shape shape) {
    plans_.push_back({std::move(name), type, std::move(shape)});
  }

  std::map<std::string, Int8Error> errors_;  ///< by the weight's name
  std::vector<checkpoint::TensorPlan> plans_;
};

/// Beside the input's own.
ModelFiles files_beside(const fs::path& input) {
  const fs::path folder = input.parent_path();
  ModelFiles files = find_model_files(folder.empty() ? fs::path(".") : folder);
  files.unet = input;
  return files;
}

}  // namespace

checkpoint::ConvertReport convert_unet_to_int8(const fs::path& input, const fs::path& output, bool allow_nonfinite,
                                               Progress& progress) {
  checkpoint::Metadata metadata;
  {
    const checkpoint::Checkpoint file = checkpoint::open_to_convert(input, output);
    file.verify_other_members();
    naming::require_naming(file, naming::ModelRole::kUNet);
    if (count_int8_weights(file) > 0) {
      throw Error(ErrorKind::kUsage, "{} holds weights in 8 bits already; name the file that it was made from",
                  printable(input.string()));
    }
    metadata = file.metadata();
    metadata.insert_or_assign(checkpoint::kWeightsHashField, checkpoint::weights_hash(file));
  }
  const ModelFiles files = files_beside(input);
  RuntimeOptions options;
  options.compute = choose_compute(DeviceChoice::kCpu, DTypeChoice::kInt8);
  options.compute.int8 = false;  // the weights themselves are wanted
  options.allow_nonfinite = allow_nonfinite;
  LoadedModels models(files, read_model_configs(files), options);
  progress.begin_phase("measure layers", 0);
  const DrawnPerson person = encode_drawn_person(models, progress);
  const models::UNet& unet = models.unet(progress);
  const std::vector<Int8Error> errors = measure_int8(unet, person, progress);
  progress.note(sentence(errors, "the UNet"));

  const NamedTensors parameters = unet.named_parameters();
  Int8Writer writer(errors);
  for (const NamedTensor& parameter : parameters) writer.plan(parameter);
  checkpoint::SafetensorsWriter file(output, writer.plans(), writer.metadata(std::move(metadata)));
  progress.begin_phase("convert", static_cast<std::int64_t>(parameters.size()));
  std::int64_t done = 0;
  for (const NamedTensor& parameter : parameters) {
    progress.throw_if_cancelled();
    writer.write(parameter, file);
    progress.step(++done);
  }
  file.finish();
  return writer.report();
}

}  // namespace unianimate::family
