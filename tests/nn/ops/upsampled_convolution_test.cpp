#include "unianimate/nn/ops/upsampled_convolution.h"

#include <gtest/gtest.h>

#include "support/golden_file.h"
#include "support/rule.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

struct Enlargement {
  std::int64_t pictures;
  std::int64_t in;
  std::int64_t out;
  std::int64_t height;
  std::int64_t width;
};

at::Tensor repeated(const at::Tensor& x) {
  return x.repeat_interleave(2, 2).repeat_interleave(2, 3);
}

TEST(UpsampledConvolution, MatchesTheDefinition) {
  for (const Enlargement& size : {Enlargement{1, 3, 5, 1, 1}, Enlargement{2, 4, 4, 3, 5}, Enlargement{1, 7, 300, 4, 1},
                                  Enlargement{3, 16, 8, 6, 9}}) {
    const at::Tensor x = rule_input("x", {size.pictures, size.in, size.height, size.width});
    const at::Tensor weight = rule_input("weight", {size.out, size.in, 3, 3});
    const at::Tensor bias = rule_input("bias", {size.out});
    for (const auto& [dtype, tolerance] : {std::pair(at::kFloat, 1e-6), {at::kDouble, 1e-14}, {at::kBFloat16, 6e-3}}) {
      const auto layout = at::MemoryFormat::ChannelsLast;
      const at::Tensor picture = x.to(dtype).contiguous(layout);
      const at::Tensor kernel = weight.to(dtype).contiguous(layout);
      const at::Tensor offsets = bias.to(dtype);
      const at::Tensor result = convolve_upsampled(picture, kernel, offsets);
      EXPECT_TRUE(result.is_contiguous(layout));
      EXPECT_EQ(result.scalar_type(), dtype);
      const at::Tensor exact = at::conv2d(repeated(picture.to(at::kDouble)), kernel.to(at::kDouble), {}, 1, 1);
      EXPECT_LE(relative_error(result, exact + offsets.to(at::kDouble).view({1, -1, 1, 1})), tolerance)
          << size.out << " " << dtype;
      EXPECT_LE(relative_error(convolve_upsampled(picture, kernel, {}), exact), tolerance) << "no bias";
    }
  }
}

TEST(UpsampledConvolution, HasTheGradientsOfTheDefinition) {
  const at::Tensor x = rule_input("x", {1, 3, 4, 3}).to(at::kDouble);
  const at::Tensor bias = rule_input("bias", {2}).to(at::kDouble);
  const auto gradient = [&](auto&& convolve) {
    const at::Tensor weight = rule_input("weight", {2, 3, 3, 3}).to(at::kDouble).requires_grad_();
    convolve(weight).square().sum().backward();
    return weight.grad();
  };
  const at::Tensor exact =
      gradient([&](const at::Tensor& weight) { return at::conv2d(repeated(x), weight, bias, 1, 1); });
  EXPECT_LE(relative_error(gradient([&](const at::Tensor& w) { return convolve_upsampled(x, w, bias); }), exact),
            1e-14);
}

TEST(UpsampleNearest, RepeatsEveryPixel) {
  const at::Tensor x = rule_input("x", {1, 2, 3, 2});
  EXPECT_TRUE(at::equal(upsample_nearest_2x(x), repeated(x)));
}

}  // namespace
}  // namespace unianimate::nn
