#include "unianimate/checkpoint/torch_legacy.h"

#include <unordered_map>

#include "unianimate/checkpoint/pickle.h"
#include "unianimate/checkpoint/torch_tensors.h"

// The layout: a pickle of the magic number, of the protocol version, of the machine's properties, of the saved object,
// and of the list of storage keys; then for each key in that order the number of elements (64 bits) and the elements.

namespace unianimate::checkpoint {

namespace {

/// 0x1950a86a20f9469cfc6c, little endian.
constexpr std::string_view kMagicNumber = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kProtocolVersion = 1001;

using StorageOffsets = std::unordered_map<std::string_view, std::size_t>;

Pickle next_pickle(const CheckpointFile& file, std::size_t begin, std::string_view what) {
  ByteReader reader(file, begin, file.size(), what);
  return read_pickle(reader);
}

void refuse_big_endian(const CheckpointFile& file, const Pickle& machine) {
  const PickleValue& properties = machine[machine.root];
  if (properties.kind != PickleKind::kDict) throw file.refusal("the machine's properties are damaged");
  for (std::size_t i = 0; i + 1 < properties.items.size(); i += 2) {
    const PickleValue& value = machine[properties.items[i + 1]];
    if (machine[properties.items[i]].text == "little_endian" && value.integer == 0) {
      throw file.refusal("the checkpoint was saved on a big-endian machine; load and save it in PyTorch first");
    }
  }
}

/// What the pickle says about each storage it refers to, by key.
std::unordered_map<std::string_view, StorageReference> referenced_storages(const CheckpointFile& file,
                                                                           const Pickle& pickle) {
  std::unordered_map<std::string_view, StorageReference> references;
  for (const PickleId id : pickle.persistent) {
    const StorageReference reference = storage_reference(file, pickle, id);
    const auto [known, inserted] = references.try_emplace(reference.key, reference);
    if (!inserted &&
        (known->second.elements != reference.elements || known->second.element_bytes() != reference.element_bytes())) {
      throw file.refusal("storage '{}' is described in two ways; the file is damaged or hostile",
                         printable(reference.key));
    }
  }
  return references;
}

/// Walks over the storages behind the pickles -> where the elements of each begin.
StorageOffsets locate_storages(const CheckpointFile& file, const Pickle& object, const Pickle& keys) {
  const PickleValue& list = keys[keys.root];
  if (list.kind != PickleKind::kList) throw file.refusal("the list of storages is damaged");
  const auto references = referenced_storages(file, object);
  ByteReader reader(file, keys.end, file.size(), "the storages");
  StorageOffsets offsets;
  for (const PickleId id : list.items) {
    const std::string_view key = keys[id].text;
    const auto found = references.find(key);
    if (found == references.end()) {
      throw file.refusal("storage '{}' is listed and not used; the file is damaged", printable(key));
    }
    const StorageReference& reference = found->second;
    const auto elements = reader.number<std::int64_t>();
    const auto room = static_cast<std::int64_t>(reader.remaining()) / reference.element_bytes();
    if (elements != reference.elements || elements > room) {
      throw file.refusal(
          "storage '{}' claims {} elements of {} bytes, {} are recorded and there is room for {}, so the file is cut "
          "short or damaged; fetch it again",
          printable(key), reference.elements, reference.element_bytes(), elements, room);
    }
    offsets.insert_or_assign(key, reader.position());
    reader.skip(static_cast<std::uint64_t>(elements * reference.element_bytes()));
  }
  return offsets;
}

}  // namespace

CheckpointContent read_torch_legacy(const CheckpointFile& file) {
  const Pickle magic = next_pickle(file, 0, "the first pickle");
  if (magic[magic.root].kind != PickleKind::kLong || magic[magic.root].text != kMagicNumber) {
    throw file.refusal("the file is a Python pickle that torch.save did not write");
  }
  const Pickle version = next_pickle(file, magic.end, "the version");
  if (version[version.root].kind != PickleKind::kInteger || version[version.root].integer != kProtocolVersion) {
    throw file.refusal("the file is of another version than {} of PyTorch's legacy format", kProtocolVersion);
  }
  const Pickle machine = next_pickle(file, version.end, "the machine's properties");
  refuse_big_endian(file, machine);
  const Pickle object = next_pickle(file, machine.end, "the pickle");
  const Pickle keys = next_pickle(file, object.end, "the list of storages");
  const StorageOffsets offsets = locate_storages(file, object, keys);

  const auto lookup = [&](const StorageReference& reference) -> StorageRange {
    const auto found = offsets.find(reference.key);
    if (found == offsets.end()) {
      throw file.refusal("storage '{}' is missing from the file; fetch it again", printable(reference.key));
    }
    const StorageReference::View view = reference.view.value_or(StorageReference::View{0, reference.elements});
    if (view.offset < 0 || view.elements < 0 || view.offset > reference.elements ||
        view.elements > reference.elements - view.offset) {
      throw file.refusal("a part of storage '{}' lies outside it; the file is damaged or hostile",
                         printable(reference.key));
    }
    const std::int64_t bytes = reference.element_bytes();
    return {found->second + static_cast<std::size_t>(view.offset * bytes),
            static_cast<std::size_t>(view.elements * bytes),
            {}};
  };
  CheckpointContent content;
  content.container = Container::kTorchLegacy;
  collect_tensors(file, object, lookup, content);
  return content;
}

}  // namespace unianimate::checkpoint
