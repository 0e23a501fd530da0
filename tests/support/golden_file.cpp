#include "support/golden_file.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

#include "unianimate/checkpoint/loading.h"

namespace unianimate::testing {

namespace fs = std::filesystem;

fs::path golden_folder() {
  return fs::path(UNIANIMATE_SOURCE_DIR) / "tests/data/golden";
}

std::vector<fs::path> golden_files(const std::string& prefix, const std::string& folder) {
  const char* chosen = std::getenv("UNIANIMATE_GOLDEN_DIR");
  const fs::path place = chosen != nullptr ? fs::path(chosen) : golden_folder();
  std::vector<fs::path> files;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(place / folder, missing)) {
    if (entry.path().extension() == ".safetensors" && entry.path().filename().string().starts_with(prefix)) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

GoldenFile::GoldenFile(const fs::path& path) : checkpoint_(checkpoint::open_checkpoint(path)) {}

at::Tensor GoldenFile::tensor(const std::string& name) const {
  const checkpoint::TensorEntry* entry = checkpoint_.find(name);
  if (entry == nullptr) throw std::runtime_error(checkpoint_.file_name() + " has no tensor " + name);
  return checkpoint::materialize(checkpoint_, *entry);
}

std::vector<std::string> GoldenFile::names(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const checkpoint::TensorEntry& entry : checkpoint_.tensors()) {
    if (entry.name.starts_with(prefix)) names.push_back(entry.name);
  }
  return names;
}

nlohmann::json GoldenFile::metadata(const std::string& name) const {
  const auto found = checkpoint_.metadata().find(name);
  return found == checkpoint_.metadata().end() ? nlohmann::json() : nlohmann::json::parse(found->second);
}

double relative_error(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) throw std::runtime_error("relative_error: the shapes differ");
  const at::Tensor reference = b.to(at::kDouble);
  return ((a.to(at::kDouble) - reference).norm() / reference.norm()).item<double>();
}

std::string test_name(const fs::path& file) {
  std::string name = file.stem().string();
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace unianimate::testing
