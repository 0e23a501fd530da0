#include "unianimate/training/footage_ahead.h"

#include <memory>
#include <utility>

namespace unianimate::training {

FootageAhead::FootageAhead(const FootageSource& source, int threads) : source_(source) {
  if (threads > 0) threads_.emplace(threads);
}

void FootageAhead::expect(std::int64_t index) {
  if (!threads_ || coming_.contains(index)) return;
  const auto task = std::make_shared<std::packaged_task<Footage()>>([this, index] { return source_.load(index); });
  coming_.emplace(index, task->get_future());
  threads_->run([task] { (*task)(); });
}

Footage FootageAhead::load(std::int64_t index) {
  const auto expected = coming_.find(index);
  if (expected == coming_.end()) return source_.load(index);
  std::future<Footage> footage = std::move(expected->second);
  coming_.erase(expected);
  return footage.get();
}

}  // namespace unianimate::training
