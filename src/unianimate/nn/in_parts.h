// Layers that see every frame or every row of a clip by itself, computed on a few of them at a time.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>

namespace unianimate::nn {

/// Bytes of the widest tensor of a part, about; on a processor so few that memory which is freed is there for the next
/// part, where the C library would have that of larger tensors cleared anew by the system.
constexpr std::int64_t kPartBytes = 14 << 20;
constexpr std::int64_t kPartBytesOnCard = 64 << 20;

/// part(first, count) of the entries of x's axis `axis`, so many at once that what lies between stays small beside a
/// long clip, into one tensor, whose parts lie beside each other on that axis. `widest`: how many times as large as its
/// share of x the widest tensor is that `part` makes, about. All at once where they are few, and where gradients are
/// recorded. Products in 8 bits find the range of each part.
at::Tensor in_parts(const at::Tensor& x, std::int64_t axis,
                    const std::function<at::Tensor(std::int64_t first, std::int64_t count)>& part,
                    std::int64_t widest = 1);
/// The same of a layer that sees every frame of the clip (B, F, ...) by itself.
at::Tensor frames_in_parts(const at::Tensor& clip, const std::function<at::Tensor(const at::Tensor& frames)>& layer);

}  // namespace unianimate::nn
