#include "unianimate/training/batch_order.h"

#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/random_stream.h"

namespace unianimate::training {

BatchOrder::BatchOrder(std::int64_t items, std::int64_t parts, std::int64_t batch, std::uint64_t seed)
    : batch_(batch), seed_(seed), per_hand_(items / parts), hands_(static_cast<std::size_t>(parts)) {
  if (per_hand_ < batch) {
    throw Error(ErrorKind::kUsage,
                "training needs at least {} clips for one step ({} at a time, {} times), but the data has {}",
                parts * batch, batch, parts, items);
  }
}

std::vector<std::int64_t> BatchOrder::items_of(std::int64_t microbatch) {
  const auto parts = static_cast<std::int64_t>(hands_.size());
  const std::int64_t part = microbatch % parts;
  const std::int64_t batches = per_hand_ / batch_;
  const std::int64_t turn = microbatch / parts;
  shuffle(part, turn / batches);
  const Hand& hand = hands_[static_cast<std::size_t>(part)];
  const auto first = hand.items.begin() + (turn % batches) * batch_;
  return {first, first + batch_};
}

void BatchOrder::shuffle(std::int64_t part, std::int64_t round) {
  Hand& hand = hands_[static_cast<std::size_t>(part)];
  if (hand.round == round) return;
  hand.round = round;
  hand.items.clear();
  const auto parts = static_cast<std::int64_t>(hands_.size());
  for (std::int64_t i = 0; i < per_hand_; ++i) hand.items.push_back(i * parts + part);
  RandomStream random(mixed_seed(seed_, static_cast<std::uint64_t>(round * parts + part)));
  for (std::size_t left = hand.items.size(); left > 1; --left) {
    std::swap(hand.items[left - 1], hand.items[random.below(left)]);
  }
}

}  // namespace unianimate::training
