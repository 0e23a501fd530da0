// Golden numbers: a safetensors file of expected tensors with a description in its metadata.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "unianimate/checkpoint/checkpoint.h"

namespace unianimate::testing {

/// The project's own golden files, for those of fixed names.
std::filesystem::path golden_folder();

/// Every file called `prefix`*.safetensors in `folder` of $UNIANIMATE_GOLDEN_DIR (else of golden_folder()), sorted:
/// other files can be tried there without a rebuild.
std::vector<std::filesystem::path> golden_files(const std::string& prefix, const std::string& folder = "");

class GoldenFile {
 public:
  explicit GoldenFile(const std::filesystem::path& path);
  [[nodiscard]] bool contains(const std::string& name) const { return checkpoint_.find(name) != nullptr; }
  [[nodiscard]] at::Tensor tensor(const std::string& name) const;
  /// Names of all tensors that start with `prefix`.
  [[nodiscard]] std::vector<std::string> names(const std::string& prefix) const;
  /// A metadata value, read as JSON ("5" -> 5, "[1, 2]" -> a list); null where there is none.
  [[nodiscard]] nlohmann::json metadata(const std::string& name) const;

 private:
  checkpoint::Checkpoint checkpoint_;
};

/// ‖a − b‖ / ‖b‖ in double.
double relative_error(const at::Tensor& a, const at::Tensor& b);

/// A test's name made of a file's: letters, digits and underscores only.
std::string test_name(const std::filesystem::path& file);

}  // namespace unianimate::testing
