// From a checkpoint's bytes to ATen tensors.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/checkpoint/placement.h"
#include "unianimate/core/named_tensor.h"
#include "unianimate/core/progress.h"

namespace unianimate::checkpoint {

/// The ATen type of the same format, and back. Throws Error(kUsage) for ATen types no checkpoint holds.
at::ScalarType scalar_type(ElementType type);
ElementType element_type(at::ScalarType type);

/// A dense copy of one tensor on the CPU, in its own type. Throws Error(kInput) where its bytes do not match their
/// checksum.
at::Tensor materialize(const Checkpoint& checkpoint, const TensorEntry& entry);

/// A tensor with values that are not finite in the number format they are wanted in.
struct NonFinite {
  std::string name;        ///< in the file
  std::int64_t count = 0;  ///< of such values
  std::int64_t own = 0;    ///< how many of them are not finite in the file either
  std::int64_t elements = 0;
  at::ScalarType type = at::kFloat;  ///< the format they are wanted in

  /// "'NAME' holds 3 values of 900 that are not finite", or "… that are beyond what fp16 can hold".
  [[nodiscard]] std::string sentence() const;
};

/// The first one's, and how many more there are. Of at least one.
std::string sentence(const std::vector<NonFinite>& tensors);

/// What one tensor would be in `type`, empty where all its values are finite; compares its checksum on the way. Throws
/// as materialize() does.
std::optional<NonFinite> find_nonfinite(const Checkpoint& checkpoint, const TensorEntry& entry, at::ScalarType type);

struct LoadOptions {
  /// From a key of the file to its place in the destination, or to nothing where it is left alone; where the function
  /// is empty, keys are the destination's names.
  std::function<std::optional<Placement>(std::string_view)> place;
  /// Whether values that are not finite in the destination's type are refused.
  bool require_finite = false;
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
  std::vector<std::string> unexpected;  ///< keys of the file the destination lacks
  std::vector<ShapeMismatch> shape_mismatch;
  std::int64_t loaded = 0;  ///< tensors of the file that were read
  std::int64_t bytes = 0;   ///< bytes they take in the file, dense
  std::vector<NonFinite> nonfinite;

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
/// memory format. Strict: unless names and shapes agree one to one, nothing is written and the report says why. A few
/// megabytes of the file are in memory at a time. Throws Error(kInput) for damaged bytes, for two keys of one name and
/// for values that are not finite where they are refused, Error(kCancelled) through `progress`; the destination is then
/// written in part.
LoadReport load_into(const Checkpoint& checkpoint, const NamedTensors& destination, const LoadOptions& options = {});

}  // namespace unianimate::checkpoint
