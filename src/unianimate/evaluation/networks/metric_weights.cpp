#include "unianimate/evaluation/networks/metric_weights.h"

#include <optional>
#include <string_view>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/core/error.h"

namespace unianimate::evaluation {

namespace fs = std::filesystem;

namespace {

/// What belongs to a classifier, or to its training.
bool is_left_out(std::string_view key) {
  return key.starts_with("classifier.") || key.starts_with("fc.") || key.starts_with("AuxLogits.") ||
         key.ends_with(".num_batches_tracked");
}

std::optional<checkpoint::Placement> placed(std::string_view key) {
  if (is_left_out(key)) return std::nullopt;
  return checkpoint::Placement{std::string(key)};
}

/// Where the file is, whole or as safetensors; nothing where it is not.
std::optional<fs::path> find_weights(const fs::path& folder, const char* name) {
  fs::path file = folder / name;
  const fs::path converted = fs::path(file).replace_extension(".safetensors");
  std::error_code ignored;
  if (fs::is_regular_file(converted, ignored)) return converted;
  if (fs::is_regular_file(file, ignored)) return file;
  return std::nullopt;
}

NamedTensors starting_with(const NamedTensors& tensors, std::string_view prefix) {
  NamedTensors some;
  for (const NamedTensor& tensor : tensors) {
    if (tensor.name.starts_with(prefix)) some.push_back(tensor);
  }
  return some;
}

/// A file, and which tensors of the network it holds.
struct WeightFile {
  const char* name;
  const char* prefix = "";
};

template <typename Network>
class Loader {
 public:
  Loader(const fs::path& folder, const Progress* progress, std::vector<NotMeasured>& missing)
      : folder_(folder), progress_(progress), missing_(missing) {}

  template <typename... Arguments>
  std::unique_ptr<Network> operator()(const char* measure, std::initializer_list<WeightFile> files,
                                      Arguments... arguments) {
    if (folder_.empty()) {
      missing_.push_back({measure, "needs weights: give their folder with --metric-weights"});
      return nullptr;
    }
    for (const WeightFile& file : files) {
      if (find_weights(folder_, file.name)) continue;
      missing_.push_back({measure, fmt::format("{} is not in {}", file.name, printable(folder_.string()))});
      return nullptr;
    }
    auto network = std::make_unique<Network>(arguments...);
    const NamedTensors tensors = network->named_parameters();
    for (const WeightFile& file : files) {
      const checkpoint::Checkpoint content = checkpoint::open_checkpoint(*find_weights(folder_, file.name));
      checkpoint::load_into(content, starting_with(tensors, file.prefix), {placed, true, progress_}).require_ok();
    }
    return network;
  }

 private:
  const fs::path& folder_;
  const Progress* progress_;
  std::vector<NotMeasured>& missing_;
};

}  // namespace

MetricNetworks load_metric_networks(const fs::path& folder, const Progress* progress) {
  std::error_code ignored;
  if (!folder.empty() && !fs::is_directory(folder, ignored)) {
    throw Error(ErrorKind::kInput, "there is no folder {} with the weights of measures; docs/evaluation.md lists them",
                printable(folder.string()));
  }
  MetricNetworks networks;
  Loader<Lpips> lpips(folder, progress, networks.missing);
  networks.lpips_alex =
      lpips("LPIPS (AlexNet)", {{"alexnet-owt-7be5be79.pth", "features."}, {"alex.pth", "lin"}}, LpipsTrunk::kAlexNet);
  networks.lpips_vgg =
      lpips("LPIPS (VGG)", {{"vgg16-397923af.pth", "features."}, {"vgg.pth", "lin"}}, LpipsTrunk::kVgg16);
  networks.inception =
      Loader<InceptionV3>(folder, progress, networks.missing)("FID", {{"pt_inception-2015-12-05-6726825d.pth"}});
  networks.i3d = Loader<I3d>(folder, progress, networks.missing)("FVD", {{"i3d_pretrained_400.pt"}});
  return networks;
}

}  // namespace unianimate::evaluation
