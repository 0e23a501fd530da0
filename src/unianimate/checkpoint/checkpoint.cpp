#include "unianimate/checkpoint/checkpoint.h"

#include <algorithm>
#include <numeric>

#include "unianimate/checkpoint/crc32.h"
#include "unianimate/checkpoint/safetensors_reader.h"
#include "unianimate/checkpoint/torch_legacy.h"
#include "unianimate/checkpoint/torch_zip.h"

namespace unianimate::checkpoint {

namespace {

CheckpointContent read_content(const MappedFile& file) {
  const std::string_view bytes = file.bytes();
  if (bytes.starts_with("PK\3\4")) return read_torch_zip(file);
  if (bytes.size() > 8 && bytes[8] == '{') return read_safetensors(file);
  if (bytes.starts_with('\x80')) return read_torch_legacy(file);
  if (bytes.starts_with("version https://git-lfs")) {
    throw file.refusal("this is a Git LFS pointer and not the checkpoint itself; fetch it with 'git lfs pull'");
  }
  throw file.refusal("the file is neither a PyTorch checkpoint nor safetensors; fetch it again or choose another");
}

}  // namespace

Checkpoint::Checkpoint(std::shared_ptr<const MappedFile> file)
    : file_(std::move(file)), content_(read_content(*file_)), verified_(content_.storages.size()) {}

std::int64_t Checkpoint::total_parameters() const noexcept {
  return std::accumulate(tensors().begin(), tensors().end(), std::int64_t{0},
                         [](std::int64_t sum, const TensorEntry& entry) { return sum + entry.elements(); });
}

std::int64_t Checkpoint::total_bytes() const noexcept {
  return std::accumulate(tensors().begin(), tensors().end(), std::int64_t{0},
                         [](std::int64_t sum, const TensorEntry& entry) { return sum + entry.bytes(); });
}

const TensorEntry* Checkpoint::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(tensors(), name, &TensorEntry::name);
  return found == tensors().end() ? nullptr : &*found;
}

std::vector<std::size_t> Checkpoint::file_order() const {
  std::vector<std::size_t> order(tensors().size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return storages()[tensors()[i].storage].begin; });
  return order;
}

std::string_view Checkpoint::storage_bytes(const TensorEntry& entry) const {
  const StorageRange& range = storages()[entry.storage];
  if (!verified_[entry.storage]) {
    if (range.crc32 && !crc32_matches(*file_, range.begin, range.size, *range.crc32)) {
      throw file_->refusal(
          "the bytes of tensor '{}' do not match their checksum, so the file is damaged; fetch it "
          "again",
          printable(entry.name));
    }
    verified_[entry.storage] = true;
  }
  return file_->bytes().substr(range.begin, range.size);
}

void Checkpoint::drop_storage(const TensorEntry& entry) const noexcept {
  const StorageRange& range = storages()[entry.storage];
  file_->drop(range.begin, range.size);
}

Checkpoint open_checkpoint(const std::filesystem::path& path) {
  return Checkpoint(std::make_shared<const MappedFile>(path));
}

}  // namespace unianimate::checkpoint
