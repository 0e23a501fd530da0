// What changes little from step to step, guessed from the steps before.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace unianimate::diffusion {

/// The two values of a quantity that were computed last, each of the latent's shape (1, C, n, h, w) and contiguous;
/// both undefined where nothing is to be remembered.
struct Trend {
  at::Tensor last;
  at::Tensor before;

  /// Remembers the value of frames from `first` on, each frame once in a step.
  void add(std::int64_t first, const at::Tensor& value) const {
    if (!last.defined()) return;
    const at::Tensor place = last.narrow(2, first, value.size(2));
    before.narrow(2, first, value.size(2)).copy_(place);
    place.copy_(value);
  }
  /// last + ahead · (last − before), of `count` frames from `first` on; see StepWork::ahead.
  [[nodiscard]] at::Tensor extrapolated(std::int64_t first, std::int64_t count, double ahead) const {
    const at::Tensor value = last.narrow(2, first, count);
    return value + ahead * (value - before.narrow(2, first, count));
  }
};

}  // namespace unianimate::diffusion
