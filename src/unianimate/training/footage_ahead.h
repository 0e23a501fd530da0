// Footage that is made before it is asked for.
#pragma once

#include <c10/core/thread_pool.h>

#include <cstdint>
#include <future>
#include <optional>
#include <unordered_map>

#include "unianimate/training/footage.h"

namespace unianimate::training {

/// Keeps threads of its own busy with items that will be needed, while another device computes.
class FootageAhead {
 public:
  /// `source` must outlive this. With no threads an item is made when it is asked for.
  FootageAhead(const FootageSource& source, int threads);

  /// The item will be asked for: begins with it, unless that is under way.
  void expect(std::int64_t index);
  /// What the source gives; throws what it throws. An expected item is waited for, and given once.
  [[nodiscard]] Footage load(std::int64_t index);

 private:
  const FootageSource& source_;
  std::unordered_map<std::int64_t, std::future<Footage>> coming_;
  std::optional<c10::ThreadPool> threads_;  ///< the first to go
};

}  // namespace unianimate::training
