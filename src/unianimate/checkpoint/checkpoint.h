// A checkpoint as it lies in its file: named tensors, none of them read yet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/checkpoint_content.h"
#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

/// Keeps the files open. Used by one thread at a time.
class Checkpoint {
 public:
  /// Reads the directory of `file`, not the tensors. See open_checkpoint.
  explicit Checkpoint(std::shared_ptr<const CheckpointFile> file);
  /// The first of `files` is what messages name; the storages of `content` say in which of them they lie.
  Checkpoint(std::vector<std::shared_ptr<const CheckpointFile>> files, CheckpointContent content);

  [[nodiscard]] const std::string& file_name() const noexcept { return file().name(); }
  /// Of all its files, the index of several one too.
  [[nodiscard]] std::vector<std::string> file_names() const;
  [[nodiscard]] const CheckpointFile& file() const noexcept { return *files_.front(); }
  [[nodiscard]] Container container() const noexcept { return content_.container; }
  [[nodiscard]] const std::vector<TensorEntry>& tensors() const noexcept { return content_.tensors; }
  [[nodiscard]] const std::vector<StorageRange>& storages() const noexcept { return content_.storages; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept { return content_.metadata; }
  [[nodiscard]] std::int64_t ignored_entries() const noexcept { return content_.ignored_entries; }
  /// Keys of dictionaries of tensors ("ema", …) beside the one that was read.
  [[nodiscard]] const std::vector<std::string>& left_out() const noexcept { return content_.left_out; }

  /// Elements of all tensors together.
  [[nodiscard]] std::int64_t total_parameters() const noexcept;
  /// Bytes of all tensors, each by itself, dense.
  [[nodiscard]] std::int64_t total_bytes() const noexcept;
  /// The tensor of that name, null where there is none.
  [[nodiscard]] const TensorEntry* find(std::string_view name) const noexcept;
  /// Indices of tensors() in the order in which their bytes lie in the file: the fast order to read them in.
  [[nodiscard]] std::vector<std::size_t> file_order() const;

  /// Compares the storage of `entry` with its recorded CRC-32 the first time it is asked for. Throws Error(kInput)
  /// where they differ.
  void verify_storage(const TensorEntry& entry) const;
  /// Compares what holds no tensors with its recorded CRC-32. Throws Error(kInput) where they differ.
  void verify_other_members() const;
  /// Fills `into` with bytes of the storage of `entry`, from byte `begin` of it on. Throws as CheckpointFile::read().
  void read_storage(const TensorEntry& entry, std::size_t begin, std::span<char> into) const;

 private:
  std::vector<std::shared_ptr<const CheckpointFile>> files_;
  CheckpointContent content_;
  mutable std::vector<bool> verified_;  // one for each storage
};

/// Opens the file and reads what it holds, recognising the container by content: a PyTorch zip file, a PyTorch file
/// from before 1.6, safetensors, or the index of a checkpoint in several files ({"weight_map": {name: file}}), which
/// are then opened beside it. A wrapper such as {"state_dict": {...}, "step": ...} is unwrapped. Nothing in the file is
/// executed or imported. Throws Error(kInput), one sentence that starts with the file's name, for anything unreadable,
/// truncated, corrupt or hostile; no memory is taken on the mere word of the file.
Checkpoint open_checkpoint(const std::filesystem::path& path);

}  // namespace unianimate::checkpoint
