// Speed of attention at shapes of the published UNet, beside ATen's on the same tensors, in turns.
// usage: attention_benchmark [fp32|bf16]
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <vector>

#include "stopwatch.h"
#include "unianimate/core/device.h"
#include "unianimate/nn/ops/attention.h"

namespace unianimate::benchmarks {
namespace {

struct Shape {
  const char* what;
  std::int64_t batch;
  std::int64_t queries;
  std::int64_t keys;
  std::int64_t heads;
  bool along_frames = false;
};

constexpr std::int64_t kHeadDim = 64;
constexpr int kRounds = 5;

at::Tensor aten(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return at::scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)).transpose(1, 2);
}

void measure(const Shape& shape, const at::TensorOptions& options) {
  // Along frames the positions lie a whole picture apart: (frames, pixels, heads, D).
  const auto operand = [&](std::int64_t positions) {
    if (!shape.along_frames) return at::randn({shape.batch, positions, shape.heads, kHeadDim}, options);
    return at::randn({positions, shape.batch, shape.heads, kHeadDim}, options).transpose(0, 1);
  };
  const at::Tensor q = operand(shape.queries);
  const at::Tensor k = operand(shape.keys);
  const at::Tensor v = operand(shape.keys);
  const auto clip = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
  const auto ours = [&] {
    return shape.along_frames ? nn::frame_attention(clip(q), clip(k), clip(v)) : nn::attention(q, k, v);
  };
  double own = std::numeric_limits<double>::infinity();
  double other = own;
  for (int round = 0; round < kRounds; ++round) {
    own = std::min(own, seconds_of(ours));
    other = std::min(other, seconds_of([&] { aten(q, k, v); }));
  }
  const auto operations = static_cast<double>(4 * shape.batch * shape.queries * shape.keys * shape.heads * kHeadDim);
  fmt::print("{:<38} {:>7.2f} ms, {:>5.1f} GFLOP/s, {:.2f} times as fast as ATen ({:.2f} ms)\n", shape.what, own * 1e3,
             operations / own / 1e9, other / own, other * 1e3);
}

}  // namespace
}  // namespace unianimate::benchmarks

int main(int argc, char** argv) {
  using namespace unianimate;
  try {
    const Compute compute = choose_compute(DeviceChoice::kCpu, parse_dtype(argc > 1 ? argv[1] : "fp32"));
    const c10::InferenceMode inference;
    fmt::print("{}, {} threads\n", dtype_name(compute), at::get_num_threads());
    for (const benchmarks::Shape& shape :
         std::vector<benchmarks::Shape>{{"within a frame, 64x96, 5 heads", 1, 6144, 6144, 5},
                                        {"within a frame, 32x48, 5 heads", 2, 1536, 1536, 5},
                                        {"within a frame, 16x24, 10 heads", 4, 384, 384, 10},
                                        {"with the context, 32x48, 5 heads", 4, 1536, 81, 5},
                                        {"along 9 frames, 32x48, 5 heads", 1536, 9, 9, 5, true},
                                        {"along 33 frames, 32x48, 5 heads", 1536, 33, 33, 5, true}}) {
      benchmarks::measure(shape, at::TensorOptions().dtype(compute.dtype));
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "attention_benchmark: {}\n", error.what());
    return 1;
  }
  return 0;
}
