// What a reader finds in a checkpoint file: where each named tensor's bytes lie.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/element_type.h"

namespace unianimate::checkpoint {

enum class Container : std::uint8_t { kTorchZip, kTorchLegacy, kSafetensors };
/// "PyTorch zip", "PyTorch legacy pickle", "safetensors".
std::string_view label(Container container) noexcept;

using Shape = std::vector<std::int64_t>;

/// A run of bytes in the file that one or more tensors are views of.
struct StorageRange {
  std::size_t begin = 0;
  std::size_t size = 0;
  std::optional<std::uint32_t> crc32;  ///< where the container records one
  std::size_t file = 0;                ///< of a checkpoint in several files, which
};

/// A part of a container that holds no tensor.
struct OtherMember {
  std::string name;
  StorageRange range;
};

/// Element (i, j, ...) is element storage_offset + i·strides[0] + j·strides[1] + ... of the storage. Every reader
/// guarantees fits_storage.
struct TensorEntry {
  std::string name;
  ElementType type = ElementType::kFloat32;
  Shape shape;
  Shape strides;                    ///< in elements
  std::size_t storage = 0;          ///< index into CheckpointContent::storages
  std::int64_t storage_offset = 0;  ///< in elements

  [[nodiscard]] std::int64_t elements() const noexcept;
  /// Bytes of the tensor by itself, dense.
  [[nodiscard]] std::int64_t bytes() const noexcept { return elements() * element_size(type); }
};

struct CheckpointContent {
  Container container = Container::kTorchZip;
  std::vector<TensorEntry> tensors;  ///< in the file's order, names unique
  std::vector<StorageRange> storages;
  std::map<std::string, std::string> metadata;  ///< safetensors' __metadata__
  std::int64_t ignored_entries = 0;             ///< entries beside the tensors: step counts, optimizer states, ...
  std::vector<std::string> left_out;            ///< keys of dictionaries of tensors beside the one that was read
  std::vector<OtherMember> other_members;       ///< of a zip file, for their checksums
};

/// The number of elements; empty for a negative length, more than 16 dimensions, or where the product of the lengths
/// above 0 goes beyond 2^56.
std::optional<std::int64_t> count_elements(const Shape& shape) noexcept;

/// Strides of a dense tensor whose last dimension lies closest. count_elements(shape) must have a value.
Shape dense_strides(const Shape& shape);

/// Whether shape and strides have one length and no negative numbers, all elements lie inside a storage of
/// `storage_elements`, and the tensor has no more elements than it.
bool fits_storage(const TensorEntry& entry, std::int64_t storage_elements) noexcept;

}  // namespace unianimate::checkpoint
