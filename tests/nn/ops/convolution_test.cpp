#include "unianimate/nn/ops/convolution.h"

#include <gtest/gtest.h>

#include <array>

#include "nn/ops/gradients.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/nn/ops/int8.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

/// What the deepest levels of a network have of small pictures.
TEST(Convolution, IsItsDefinitionHoweverNarrowThePicture) {
  constexpr std::int64_t kChannels = 128;
  const at::Tensor exact_weight = rule_input("weight", {kChannels, kChannels, 3, 3});
  for (const auto& [stride, padding] : {std::pair{std::array<std::int64_t, 2>{1, 1}, std::array<std::int64_t, 2>{1, 1}},
                                        {{2, 2}, {1, 1}},
                                        {{2, 2}, {2, 1}}}) {
    const Convolution convolution{stride, padding};
    for (const std::int64_t height : {1, 2, 4, 7, 16}) {
      for (const std::int64_t width : {1, 2, 3, 4}) {
        const at::Tensor exact = rule_input("x", {8, height, width, kChannels});
        const auto convolved = [&](at::ScalarType type) {
          const at::Tensor x = as_leaf(exact.to(type));
          const at::Tensor weight = as_leaf(exact_weight.to(type).contiguous(at::MemoryFormat::ChannelsLast));
          const at::Tensor y = convolve(x.permute({0, 3, 1, 2}), weight, {}, convolution);
          const std::vector<at::Tensor> gradients = gradients_of(y, {x, weight});
          return std::array{y.detach(), gradients[0], gradients[1]};
        };
        const auto expected = convolved(at::kDouble);
        for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
          const auto found = convolved(type);
          for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_LE(relative_error(found.at(i), expected.at(i)), type == at::kFloat ? 1e-6 : 1e-2)
                << height << " × " << width << ", stride " << stride[0] << ", " << type << ", result " << i;
          }
        }
        const PackedInt8 packed = pack_int8_conv(quantize_weight(exact_weight), {}, convolution);
        EXPECT_LE(relative_error(int8_conv(exact.permute({0, 3, 1, 2}), packed, convolution), expected[0]), 3e-2)
            << height << " × " << width << ", stride " << stride[0] << ", 8 bits";
      }
    }
  }
}

}  // namespace
}  // namespace unianimate::nn
