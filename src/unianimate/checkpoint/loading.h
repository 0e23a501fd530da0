// From a checkpoint's bytes to ATen tensors.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/named_tensor.h"
#include "unianimate/core/progress.h"

namespace unianimate::checkpoint {

/// The ATen type of the same format, and back. Throws Error(kUsage) for ATen types no checkpoint holds.
at::ScalarType scalar_type(ElementType type);
ElementType element_type(at::ScalarType type);

/// A dense copy of one tensor on the CPU, in its own type. Throws Error(kInput) where its bytes do not match their
/// checksum.
at::Tensor materialize(const Checkpoint& checkpoint, const TensorEntry& entry);

struct LoadOptions {
  /// Only keys that start with this are used, with it cut off.
  std::string prefix;
  /// Keys (after the prefix is cut) that start with one of these are left alone.
  std::vector<std::string> ignored_prefixes;
  /// From a key of the file (after the prefix is cut) to a name of the destination; the key itself where empty.
  std::function<std::string(std::string_view)> rename;
  /// Asked between tensors whether to go on; may be null.
  const Progress* progress = nullptr;
};

struct LoadReport {
  struct ShapeMismatch {
    std::string name;
    Shape expected;  ///< the destination's
    Shape found;     ///< the file's
  };

  std::string file;
  std::vector<std::string> missing;     ///< names of the destination the file lacks
  std::vector<std::string> unexpected;  ///< names of the file the destination lacks
  std::vector<ShapeMismatch> shape_mismatch;
  std::int64_t loaded = 0;  ///< tensors written
  std::int64_t bytes = 0;   ///< bytes they take in the file, dense

  [[nodiscard]] bool ok() const noexcept { return missing.empty() && unexpected.empty() && shape_mismatch.empty(); }
  /// "1680 tensors (5.67 GB) loaded", or what does not fit, the first few names of each kind.
  [[nodiscard]] std::string summary() const;
  /// Throws Error(kInput) with the file's name and the summary unless ok().
  void require_ok() const;
};

/// What load_into would report of names and shapes, without reading a tensor.
LoadReport compare_names(const Checkpoint& checkpoint, const NamedTensors& destination,
                         const LoadOptions& options = {});

/// Writes every tensor of the file into the tensor of that name in `destination`, converted to its type, device and
/// memory format. Strict: unless names and shapes agree one to one, nothing is written and the report says why. At most
/// one tensor of the file is resident at a time. Throws Error(kInput) for damaged bytes and for two keys renamed to one
/// name, Error(kCancelled) through `progress`; the destination is then written in part.
LoadReport load_into(const Checkpoint& checkpoint, const NamedTensors& destination, const LoadOptions& options = {});

}  // namespace unianimate::checkpoint
