#include "unianimate/checkpoint/checkpoint.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <tuple>
#include <utility>

#include "unianimate/checkpoint/crc32.h"
#include "unianimate/checkpoint/safetensors_reader.h"
#include "unianimate/checkpoint/shard_index.h"
#include "unianimate/checkpoint/torch_legacy.h"
#include "unianimate/checkpoint/torch_zip.h"

namespace unianimate::checkpoint {

namespace {

CheckpointContent read_content(const CheckpointFile& file) {
  constexpr std::size_t kTelling = 64;
  const std::string_view bytes = file.keep(0, std::min(kTelling, file.size()));
  if (bytes.starts_with("PK\3\4")) return read_torch_zip(file);
  if (bytes.size() > 8 && bytes[8] == '{') return read_safetensors(file);
  if (bytes.starts_with('\x80')) return read_torch_legacy(file);
  if (bytes.starts_with("version https://git-lfs")) {
    throw file.refusal("this is a Git LFS pointer and not the checkpoint itself; fetch it with 'git lfs pull'");
  }
  throw file.refusal("the file is neither a PyTorch checkpoint nor safetensors; fetch it again or choose another");
}

/// The tensors that the index names, each from the file it names.
Checkpoint open_shards(const std::filesystem::path& path) {
  std::vector<std::shared_ptr<const CheckpointFile>> files{std::make_shared<const CheckpointFile>(path)};
  CheckpointContent all;
  for (const auto& [shard, names] : read_shard_index(*files.front())) {
    files.push_back(std::make_shared<const CheckpointFile>(path.parent_path() / shard));
    CheckpointContent content = read_content(*files.back());
    const std::size_t first_storage = all.storages.size();
    for (StorageRange& storage : content.storages) storage.file = files.size() - 1;
    all.storages.insert(all.storages.end(), content.storages.begin(), content.storages.end());
    std::size_t found = 0;
    for (TensorEntry& entry : content.tensors) {
      if (!names.contains(entry.name)) {
        throw files.back()->refusal("its tensor '{}' is not in the index {}; fetch both again", printable(entry.name),
                                    printable(files.front()->name()));
      }
      ++found;
      entry.storage += first_storage;
      all.tensors.push_back(std::move(entry));
    }
    if (found != names.size()) {
      throw files.back()->refusal("it holds {} of the {} tensors that the index {} says; fetch both again", found,
                                  names.size(), printable(files.front()->name()));
    }
    all.container = content.container;
    all.ignored_entries += content.ignored_entries;
    std::ranges::move(content.left_out, std::back_inserter(all.left_out));
    all.metadata.merge(content.metadata);
    for (OtherMember& member : content.other_members) {
      member.range.file = files.size() - 1;
      all.other_members.push_back(std::move(member));
    }
  }
  return {std::move(files), std::move(all)};
}

}  // namespace

Checkpoint::Checkpoint(std::shared_ptr<const CheckpointFile> file)
    : files_{std::move(file)}, content_(read_content(*files_.front())), verified_(content_.storages.size()) {}

Checkpoint::Checkpoint(std::vector<std::shared_ptr<const CheckpointFile>> files, CheckpointContent content)
    : files_(std::move(files)), content_(std::move(content)), verified_(content_.storages.size()) {}

std::vector<std::string> Checkpoint::file_names() const {
  std::vector<std::string> names;
  for (const auto& file : files_) names.push_back(file->name());
  return names;
}

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
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    const StorageRange& range = storages()[tensors()[i].storage];
    return std::tuple(range.file, range.begin);
  });
  return order;
}

void Checkpoint::verify_storage(const TensorEntry& entry) const {
  if (verified_[entry.storage]) return;
  const StorageRange& range = storages()[entry.storage];
  const CheckpointFile& file = *files_[range.file];
  if (range.crc32 && !crc32_matches(file, range.begin, range.size, *range.crc32)) {
    throw file.refusal(
        "the bytes of tensor '{}' do not match their checksum, so the file is damaged; fetch it "
        "again",
        printable(entry.name));
  }
  verified_[entry.storage] = true;
}

void Checkpoint::verify_other_members() const {
  for (const auto& [name, range] : content_.other_members) {
    const CheckpointFile& file = *files_[range.file];
    if (range.crc32 && !crc32_matches(file, range.begin, range.size, *range.crc32)) {
      throw file.refusal("'{}' in it does not match its checksum, so the file is damaged; fetch it again",
                         printable(name));
    }
  }
}

void Checkpoint::read_storage(const TensorEntry& entry, std::size_t begin, std::span<char> into) const {
  const StorageRange& range = storages()[entry.storage];
  files_[range.file]->read(range.begin + begin, into);
}

Checkpoint open_checkpoint(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.ends_with(".json") && name.find(".index.") != std::string::npos) return open_shards(path);
  return Checkpoint(std::make_shared<const CheckpointFile>(path));
}

}  // namespace unianimate::checkpoint
