// Writes safetensors files, tensor by tensor.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "unianimate/checkpoint/checkpoint_content.h"
#include "unianimate/core/named_tensor.h"
#include "unianimate/core/output_file.h"

namespace unianimate::checkpoint {

/// What a tensor of the file will be.
struct TensorPlan {
  std::string name;
  at::ScalarType type = at::kFloat;
  Shape shape;
};

using Metadata = std::map<std::string, std::string>;

/// With the mark of written_mark.h, for files under names that the program chooses.
Metadata marked(Metadata metadata = {});

/// The file appears at its path when finish() has run, whole; before that, nothing does.
class SafetensorsWriter {
 public:
  /// Lays the file out: the header, then the tensors in the order of ElementType and of their
  /// names, so that each is aligned to its elements.
  /// Throws Error(kUsage) for a name given twice, "__metadata__", a name that is no UTF-8 or a type safetensors lacks,
  /// Error(kEnvironment) where the file cannot be created or the disk lacks room for it.
  SafetensorsWriter(const std::filesystem::path& path, const std::vector<TensorPlan>& plans,
                    const Metadata& metadata = {});

  /// Writes one of the planned tensors, in any order, converted to the planned type; its shape must be the planned one.
  /// Throws Error(kEnvironment) where the disk does not take it.
  void write(const std::string& name, const at::Tensor& tensor);

  /// All planned tensors must have been written.
  void finish();

 private:
  struct Slot {
    TensorPlan plan;
    std::uint64_t begin = 0;  // in the file
    bool written = false;
  };

  /// An open file, closed with its owner.
  struct Descriptor {
    explicit Descriptor(const std::filesystem::path& path);
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number;
  };

  void write_at(std::uint64_t position, const char* data, std::size_t size) const;

  OutputPath output_;
  Descriptor descriptor_;
  std::unordered_map<std::string, Slot> slots_;
};

/// Writes all of `tensors`; with `floating_type`, the floating-point ones converted to it.
void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors, const Metadata& metadata = {},
                      std::optional<at::ScalarType> floating_type = std::nullopt);

}  // namespace unianimate::checkpoint
