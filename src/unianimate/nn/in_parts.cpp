#include "unianimate/nn/in_parts.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <vector>

namespace unianimate::nn {

namespace {

std::int64_t entries_at_once(const at::Tensor& x, std::int64_t axis, std::int64_t widest) {
  const std::int64_t entries = x.size(axis);
  if (x.numel() == 0 || c10::GradMode::is_enabled()) return entries;
  const auto bytes_of_one = static_cast<std::int64_t>(x.nbytes()) / entries * widest;
  return std::clamp((x.is_cpu() ? kPartBytes : kPartBytesOnCard) / bytes_of_one, std::int64_t{1}, entries);
}

}  // namespace

at::Tensor in_parts(const at::Tensor& x, std::int64_t axis,
                    const std::function<at::Tensor(std::int64_t first, std::int64_t count)>& part,
                    std::int64_t widest) {
  const std::int64_t entries = x.size(axis);
  const std::int64_t at_once = entries_at_once(x, axis, widest);
  if (at_once == entries) return part(0, entries);
  at::Tensor whole;
  for (std::int64_t first = 0; first < entries; first += at_once) {
    const std::int64_t count = std::min(at_once, entries - first);
    const at::Tensor y = part(first, count);
    if (!whole.defined()) {
      std::vector<std::int64_t> shape = y.sizes().vec();
      shape[static_cast<std::size_t>(axis)] = entries;
      whole = at::empty(shape, y.options());
    }
    whole.narrow(axis, first, count).copy_(y);
  }
  return whole;
}

at::Tensor frames_in_parts(const at::Tensor& clip, const std::function<at::Tensor(const at::Tensor& frames)>& layer) {
  return in_parts(clip, 1, [&](std::int64_t first, std::int64_t count) {
    return layer(clip.narrow(1, first, count).contiguous());
  });
}

}  // namespace unianimate::nn
