#include "unianimate/media/pictures/resize.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "media/test_images.h"
#include "support/golden_file.h"
#include "support/rule.h"

namespace unianimate {
namespace {

using testing::error_of;

// A uint8 tensor (height, width, 3).
Image image_of(const at::Tensor& tensor) {
  Image image(static_cast<int>(tensor.size(1)), static_cast<int>(tensor.size(0)));
  const at::Tensor values = tensor.contiguous();
  std::copy_n(values.const_data_ptr<std::uint8_t>(), image.pixels.size(), image.pixels.begin());
  return image;
}

TEST(ResizeBilinear, EqualsPillowsGoldenPictures) {
  const testing::GoldenFile golden(testing::golden_folder() / "resize.safetensors");
  const auto check = [&](const std::string& input_name, int height, int width, const std::string& target) {
    const Image input = image_of(testing::rule_picture(input_name, height, width));
    const Image expected = image_of(golden.tensor(input_name + target));
    EXPECT_EQ(resize_bilinear(input, expected.width, expected.height), expected) << input_name;
  };
  check("resize300x200", 300, 200, ".to192x128");
  check("resize64x64", 64, 64, ".to768x512");
  check("resize97x151", 97, 151, ".to224x224");
}

// One direction of the same filter in exact arithmetic but for the final rounding: the triangle of half-width
// max(scale, 1) around (out + 0.5)·scale.
double triangle_mean(const std::vector<double>& samples, int out, int out_size) {
  const double scale = static_cast<double>(samples.size()) / out_size;
  const double reach = std::max(scale, 1.0);
  double sum = 0;
  double total = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double weight = std::max(0.0, 1.0 - std::abs(static_cast<double>(i) + 0.5 - (out + 0.5) * scale) / reach);
    sum += weight * samples[i];
    total += weight;
  }
  return sum / total;
}

TEST(ResizeBilinear, IsWithinRoundingOfTheTriangleFilter) {
  for (const auto& [from, to] : {std::pair{1, 7}, {7, 1}, {5, 5}, {13, 8}, {8, 13}, {100, 3}, {2, 64}}) {
    const Image column = testing::noise(1, from, 5);
    const Image resized = resize_bilinear(column, 1, to);
    std::vector<double> samples;
    samples.reserve(static_cast<std::size_t>(from));
    for (int y = 0; y < from; ++y) samples.push_back(column.row(y)[1]);
    for (int y = 0; y < to; ++y) EXPECT_NEAR(resized.row(y)[1], triangle_mean(samples, y, to), 0.51) << from << to;
  }
}

TEST(ResizeBilinear, TreatsBothDirectionsAlike) {
  const auto transposed = [](const Image& image) {
    Image result(image.height, image.width);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        std::ranges::copy(image.row(y).subspan(static_cast<std::size_t>(x) * 3, 3),
                          result.row(x).begin() + std::ptrdiff_t{y} * 3);
      }
    }
    return result;
  };
  const Image image = testing::noise(31, 12, 9);
  EXPECT_EQ(resize_bilinear(image, 17, 12), transposed(resize_bilinear(transposed(image), 12, 17)));
}

TEST(ResizeBilinear, ShrinksTallPicturesVerticallyFirst) {
  const Image tall = testing::noise(20, 30, 4);
  EXPECT_EQ(resize_bilinear(tall, 22, 22), resize_bilinear(resize_bilinear(tall, 20, 22), 22, 22));
  const Image wide = testing::noise(30, 30, 4);
  EXPECT_EQ(resize_bilinear(wide, 22, 14), resize_bilinear(resize_bilinear(wide, 22, 30), 22, 14));
}

TEST(ResizeBilinear, SameSizeIsACopyAndFlatStaysFlat) {
  const Image image = testing::noise(9, 7, 2);
  EXPECT_EQ(resize_bilinear(image, 9, 7), image);
  Image white(40, 30);
  std::ranges::fill(white.pixels, 255);
  for (const std::uint8_t value : resize_bilinear(white, 23, 57).pixels) EXPECT_EQ(value, 255);
}

TEST(ResizeBilinear, RefusesEmptyTargets) {
  EXPECT_THAT(error_of(ErrorKind::kUsage, [] { resize_bilinear(Image(3, 3), 0, 5); }), ::testing::HasSubstr("0×5"));
}

}  // namespace
}  // namespace unianimate
