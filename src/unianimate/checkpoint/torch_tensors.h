// From the values of a torch.save pickle to tensor entries: what both PyTorch containers share.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "unianimate/checkpoint/checkpoint_content.h"
#include "unianimate/checkpoint/pickle.h"

namespace unianimate::checkpoint {

/// A persistent identifier: ("storage", type, key, location, elements[, view]).
struct StorageReference {
  /// Part of a legacy storage that is a storage of its own, in elements.
  struct View {
    std::int64_t offset = 0;
    std::int64_t elements = 0;
  };

  std::string_view key;
  std::optional<ElementType> type;  ///< empty for an untyped storage, whose elements are bytes
  std::int64_t elements = 0;
  std::optional<View> view;

  [[nodiscard]] std::int64_t element_bytes() const { return type ? element_size(*type) : 1; }
};

/// Throws Error(kInput) where `persistent` (a kPersistent value) names anything but a storage of a known type, or a
/// negative size.
StorageReference storage_reference(const CheckpointFile& file, const Pickle& pickle, PickleId persistent);

/// Where a storage lies, after checking that as many bytes as it claims are there. Throws Error(kInput).
using StorageLookup = std::function<StorageRange(const StorageReference&)>;

/// Fills `tensors`, `storages` and `ignored_entries` of `content` from the dictionary the pickle holds, unwrapping
/// {"state_dict": {...}} and the like. Throws Error(kInput) for a root that is no dictionary, for tensors that do not
/// fit their storage, and for those that depend on a class or function not known here.
void collect_tensors(const CheckpointFile& file, const Pickle& pickle, const StorageLookup& lookup,
                     CheckpointContent& content);

}  // namespace unianimate::checkpoint
