// Which material each step is trained on.
#pragma once

#include <cstdint>
#include <vector>

namespace unianimate::training {

/// Shuffled anew each time round. The material is dealt out to `parts` equal hands once and for all, and microbatch m
/// takes from hand m mod parts: so a process that always does the same microbatches of a step sees the same material
/// again, and may keep what it made of it.
class BatchOrder {
 public:
  /// Throws Error(kUsage) where there are fewer than `parts` · `batch` items.
  BatchOrder(std::int64_t items, std::int64_t parts, std::int64_t batch, std::uint64_t seed);

  /// `batch` indices of items for the microbatch, a pure function of it.
  [[nodiscard]] std::vector<std::int64_t> items_of(std::int64_t microbatch);
  /// The microbatch that takes from the same hand next.
  [[nodiscard]] std::int64_t next(std::int64_t microbatch) const {
    return microbatch + static_cast<std::int64_t>(hands_.size());
  }

 private:
  void shuffle(std::int64_t part, std::int64_t round);

  struct Hand {
    std::int64_t round = -1;
    std::vector<std::int64_t> items;
  };
  std::int64_t batch_;
  std::uint64_t seed_;
  std::int64_t per_hand_;
  std::vector<Hand> hands_;
};

}  // namespace unianimate::training
