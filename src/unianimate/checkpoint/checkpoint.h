// A checkpoint as it lies in its file: named tensors, none of them read yet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/checkpoint_content.h"
#include "unianimate/checkpoint/mapped_file.h"

namespace unianimate::checkpoint {

/// Keeps the file mapped. Used by one thread at a time.
class Checkpoint {
 public:
  /// Reads the directory of `file`, not the tensors. See open_checkpoint.
  explicit Checkpoint(std::shared_ptr<const MappedFile> file);

  [[nodiscard]] const std::string& file_name() const noexcept { return file_->name(); }
  [[nodiscard]] const MappedFile& file() const noexcept { return *file_; }
  [[nodiscard]] Container container() const noexcept { return content_.container; }
  [[nodiscard]] const std::vector<TensorEntry>& tensors() const noexcept { return content_.tensors; }
  [[nodiscard]] const std::vector<StorageRange>& storages() const noexcept { return content_.storages; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept { return content_.metadata; }
  [[nodiscard]] std::int64_t ignored_entries() const noexcept { return content_.ignored_entries; }

  /// Elements of all tensors together.
  [[nodiscard]] std::int64_t total_parameters() const noexcept;
  /// Bytes of all tensors, each by itself, dense.
  [[nodiscard]] std::int64_t total_bytes() const noexcept;
  /// The tensor of that name, null where there is none.
  [[nodiscard]] const TensorEntry* find(std::string_view name) const noexcept;
  /// Indices of tensors() in the order in which their bytes lie in the file: the fast order to read them in.
  [[nodiscard]] std::vector<std::size_t> file_order() const;

  /// The bytes of the storage of `entry`, compared with the recorded CRC-32 the first time they are asked for.
  /// Throws Error(kInput) where they differ.
  [[nodiscard]] std::string_view storage_bytes(const TensorEntry& entry) const;
  /// Gives the storage's resident pages back; storage_bytes pages them in again.
  void drop_storage(const TensorEntry& entry) const noexcept;

 private:
  std::shared_ptr<const MappedFile> file_;
  CheckpointContent content_;
  mutable std::vector<bool> verified_;  // one for each storage
};

/// Maps the file and reads what it holds, recognising the container by content: a PyTorch zip file, a PyTorch file
/// from before 1.6, or safetensors. A wrapper such as {"state_dict": {...}, "step": ...} is unwrapped. Nothing in
/// the file is executed or imported. Throws Error(kInput), one sentence that starts with the file's name, for
/// anything unreadable, truncated, corrupt or hostile; no memory is taken on the mere word of the file.
Checkpoint open_checkpoint(const std::filesystem::path& path);

}  // namespace unianimate::checkpoint
