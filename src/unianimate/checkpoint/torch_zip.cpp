#include "unianimate/checkpoint/torch_zip.h"

#include <algorithm>
#include <unordered_set>

#include "unianimate/checkpoint/crc32.h"
#include "unianimate/checkpoint/pickle.h"
#include "unianimate/checkpoint/torch_tensors.h"
#include "unianimate/checkpoint/zip_archive.h"

namespace unianimate::checkpoint {

namespace {

constexpr std::string_view kPickleName = "/data.pkl";
constexpr std::string_view kByteOrder = "little";

/// All members lie in one folder, named after the file as it was saved.
std::string archive_folder(const CheckpointFile& file, const ZipDirectory& directory) {
  for (const auto& [name, member] : directory) {
    if (name.ends_with(kPickleName) && name.find('/') == name.size() - kPickleName.size()) {
      return std::string(name.substr(0, name.find('/')));
    }
  }
  throw file.refusal("the zip file holds no data.pkl, so it is not a PyTorch checkpoint");
}

void refuse_big_endian(const CheckpointFile& file, const ZipDirectory& directory, const std::string& folder) {
  const auto found = directory.find(folder + "/byteorder");
  if (found != directory.end() &&
      file.keep(found->second.begin, std::min(found->second.size, kByteOrder.size() + 1)) != kByteOrder) {
    throw file.refusal("the checkpoint was saved on a big-endian machine; load and save it in PyTorch first");
  }
}

}  // namespace

CheckpointContent read_torch_zip(const CheckpointFile& file) {
  const ZipDirectory directory = read_zip_directory(file);
  const std::string folder = archive_folder(file, directory);
  refuse_big_endian(file, directory, folder);

  const ZipMember& pickled = directory.at(folder + std::string(kPickleName));
  if (!crc32_matches(file, pickled.begin, pickled.size, pickled.crc32)) {
    throw file.refusal("data.pkl does not match its checksum, so the file is damaged; fetch it again");
  }
  ByteReader reader(file, pickled.begin, pickled.begin + pickled.size, "data.pkl");
  const Pickle pickle = read_pickle(reader);

  const auto lookup = [&](const StorageReference& reference) -> StorageRange {
    const auto found = directory.find(folder + "/data/" + std::string(reference.key));
    if (found == directory.end()) {
      throw file.refusal("storage '{}' is missing from the file; fetch it again", printable(reference.key));
    }
    const ZipMember& member = found->second;
    const auto size = static_cast<std::int64_t>(member.size);
    if (size % reference.element_bytes() != 0 || size / reference.element_bytes() != reference.elements) {
      throw file.refusal(
          "storage '{}' claims {} elements of {} bytes and holds {} bytes; the file is damaged or hostile",
          printable(reference.key), reference.elements, reference.element_bytes(), size);
    }
    return {member.begin, member.size, member.crc32};
  };
  CheckpointContent content;
  content.container = Container::kTorchZip;
  collect_tensors(file, pickle, lookup, content);

  std::unordered_set<std::size_t> begins;
  for (const StorageRange& storage : content.storages) begins.insert(storage.begin);
  for (const auto& [name, member] : directory) {
    if (!begins.contains(member.begin)) {
      content.other_members.push_back({std::string(name), {member.begin, member.size, member.crc32}});
    }
  }
  return content;
}

}  // namespace unianimate::checkpoint
