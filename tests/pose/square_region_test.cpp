// Crops against a twin that does the arithmetic pixel by pixel.
#include "unianimate/pose/detect/square_region.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace unianimate::pose {
namespace {

constexpr double kWhite = 255;

Image noise(int width, int height) {
  Image image(width, height);
  std::mt19937 generator(3);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(generator());
  return image;
}

Image waves(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto pixel = image.row(y).subspan(static_cast<std::size_t>(x) * Image::kChannels, Image::kChannels);
      pixel[0] = static_cast<std::uint8_t>(128 + 100 * std::sin(0.02 * x));
      pixel[1] = static_cast<std::uint8_t>(128 + 100 * std::cos(0.03 * y));
      pixel[2] = static_cast<std::uint8_t>(128 + 100 * std::sin(0.015 * (x + y)));
    }
  }
  return image;
}

/// 0 … 1; black outside.
double pixel(const Image& image, int x, int y, std::size_t channel) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return 0;
  return image.row(y)[static_cast<std::size_t>(x) * Image::kChannels + channel] / kWhite;
}

double bilinear(const Image& image, Point at, std::size_t channel) {
  const double column = at.x - 0.5;
  const double row = at.y - 0.5;
  const int x = static_cast<int>(std::floor(column));
  const int y = static_cast<int>(std::floor(row));
  const double right = column - x;
  const double below = row - y;
  const auto value = [&](int dx, int dy) { return pixel(image, x + dx, y + dy, channel); };
  return (value(0, 0) * (1 - right) + value(1, 0) * right) * (1 - below) +
         (value(0, 1) * (1 - right) + value(1, 1) * right) * below;
}

std::vector<float> crop_of(const Image& image, const SquareRegion& region, int size) {
  std::vector<float> crop(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * Image::kChannels);
  sample_region(image, region, size, crop);
  return crop;
}

/// The mean over `detail`² places in each pixel of the crop.
std::vector<double> twin(const Image& image, const SquareRegion& region, int size, int detail) {
  std::vector<double> crop;
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      for (std::size_t channel = 0; channel < Image::kChannels; ++channel) {
        double sum = 0;
        for (int i = 0; i < detail * detail; ++i) {
          const double x = (column + (i % detail + 0.5) / detail) / size;
          const int below = i / detail;
          const double y = (row + (below + 0.5) / detail) / size;
          sum += bilinear(image, region.to_picture({x, y}), channel);
        }
        crop.push_back(sum / (detail * detail));
      }
    }
  }
  return crop;
}

struct Difference {
  double mean = 0;
  double largest = 0;
};
Difference difference(const std::vector<float>& found, const std::vector<double>& expected) {
  Difference result;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double off = std::abs(static_cast<double>(found[i]) - expected[i]);
    result.mean += off / static_cast<double>(found.size());
    result.largest = std::max(result.largest, off);
  }
  return result;
}

SquareRegion turned(Point centre, double side, double degrees, bool mirrored = false) {
  const double angle = degrees * std::numbers::pi / 180;
  return {centre, side, {std::sin(angle), -std::cos(angle)}, mirrored};
}

TEST(SquareRegion, PointsWhereItIsTold) {
  const SquareRegion region = SquareRegion::pointing({10, 20}, {13, 24}, 8);
  EXPECT_NEAR(region.up.x, 0.6, 1e-12);
  EXPECT_NEAR(region.up.y, 0.8, 1e-12);
  EXPECT_EQ(SquareRegion::pointing({10, 20}, {10, 20}, 8).up, (Point{0, -1}));
}

TEST(SquareRegion, TakesCropsToPictures) {
  const auto expect_at = [](const SquareRegion& region, Point crop, Point expected) {
    EXPECT_NEAR(region.to_picture(crop).x, expected.x, 1e-9);
    EXPECT_NEAR(region.to_picture(crop).y, expected.y, 1e-9);
  };
  const SquareRegion upright{{100, 50}, 40};
  expect_at(upright, {0.5, 0.5}, {100, 50});
  expect_at(upright, {0, 0}, {80, 30});
  expect_at(upright, {1, 0}, {120, 30});
  expect_at(upright, {0, 1}, {80, 70});
  const SquareRegion quarter = turned({100, 50}, 40, 90);  // up is to the right
  expect_at(quarter, {0.5, 0}, {120, 50});
  expect_at(quarter, {1, 0.5}, {100, 70});
  const SquareRegion mirrored = turned({100, 50}, 40, 0, true);
  expect_at(mirrored, {0, 0}, {120, 30});
  expect_at(mirrored, {0.5, 1}, {100, 70});
}

struct Case {
  const char* name;
  SquareRegion region;
  int size;
};

class SampleRegion : public ::testing::TestWithParam<Case> {};

TEST_P(SampleRegion, IsBilinear) {
  // OpenCV samples at 32nds of a pixel, which on noise may be off by two 64ths of the whole range in each direction.
  constexpr double kLargest = 1.0 / 16;
  constexpr double kMean = 0.012;
  const Image picture = noise(90, 70);
  const auto& [name, region, size] = GetParam();
  const Difference off = difference(crop_of(picture, region, size), twin(picture, region, size, 1));
  EXPECT_LT(off.largest, kLargest);
  EXPECT_LT(off.mean, kMean);
}

INSTANTIATE_TEST_SUITE_P(Regions, SampleRegion,
                         ::testing::Values(Case{"Upright", {{45, 35}, 40}, 40}, Case{"Enlarged", {{40, 30}, 20.5}, 64},
                                           Case{"Turned", turned({45, 35}, 50, 33), 48},
                                           Case{"UpsideDown", turned({45, 35}, 50, 180), 48},
                                           Case{"Mirrored", turned({45, 35}, 50, -70, true), 48},
                                           Case{"AtTheEdge", turned({2, 68}, 50, 20), 48},
                                           Case{"Outside", turned({300, -300}, 50, 20), 16},
                                           Case{"AsLargeAsMayBe", {{45, 35}, 72}, 48}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(SampleRegion, IsExactWherePixelsMeet) {
  const Image picture = noise(60, 60);
  const std::vector<float> crop = crop_of(picture, {{30, 30}, 20}, 20);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 20; ++x) {
      EXPECT_EQ(crop[static_cast<std::size_t>(y * 20 + x) * 3 + 1],
                static_cast<float>(pixel(picture, x + 20, y + 20, 1)));
    }
  }
}

TEST(SampleRegion, ShrinksByAveragingAreas) {
  constexpr int kDetail = 12;
  const Image picture = waves(700, 500);
  for (const SquareRegion& region :
       {SquareRegion{{350, 250}, 400}, turned({350, 250}, 300, 33), turned({300, 260}, 333, -120, true)}) {
    const Difference off = difference(crop_of(picture, region, 48), twin(picture, region, 48, kDetail));
    EXPECT_LT(off.largest, 0.03);
    EXPECT_LT(off.mean, 0.006);
  }
}

TEST(SampleRegion, ShrinksByWholeFactorsExactly) {
  const Image picture = noise(200, 200);
  const SquareRegion region{{100, 100}, 96};
  // The part begins a pixel before the region, so that its cells do not fall on the crop's.
  const Difference off = difference(crop_of(picture, region, 32), twin(picture, region, 32, 6));
  EXPECT_LT(off.mean, 0.1);
  Image stripes(200, 200);
  for (int y = 0; y < 200; ++y) {
    for (int x = 0; x < 200; ++x) stripes.row(y)[static_cast<std::size_t>(x) * 3] = x % 2 == 0 ? 0 : 200;
  }
  for (const float value : crop_of(stripes, {{100, 100}, 128}, 32)) {
    EXPECT_TRUE(value == 0 || std::abs(value - 100 / 255.0F) < 0.005F) << value;
  }
}

TEST(SampleRegion, IsBlackOutside) {
  Image white(50, 50);
  std::ranges::fill(white.pixels, std::uint8_t{255});
  for (const double side : {20.0, 400.0}) {
    for (const float value : crop_of(white, {{-1000, 1000}, side}, 16)) EXPECT_EQ(value, 0);
  }
  const std::vector<float> crop = crop_of(white, {{25, 25}, 200}, 40);
  const auto at = [&](int x, int y) { return crop[static_cast<std::size_t>(y * 40 + x) * 3]; };
  EXPECT_EQ(at(20, 20), 1);
  EXPECT_EQ(at(2, 20), 0);
  EXPECT_EQ(at(20, 37), 0);
  double sum = 0;
  for (const float value : crop) sum += value;
  EXPECT_NEAR(sum / static_cast<double>(crop.size()), 1.0 / 16, 0.006) << "50² of 200²";
}

TEST(SampleRegion, TakesPicturesAndRegionsOfAnySize) {
  for (const auto& [width, height] : {std::pair{1, 1}, {16, 16}, {3000, 1}, {1, 3000}}) {
    const Image picture = noise(width, height);
    for (const double side : {0.0, 1e-9, 1.0, 1000.0, 1e6, 1e12}) {
      for (const Point centre : {Point{0, 0}, Point{8, 8}, Point{-1e9, 1e9}, Point{1e15, -1e15}}) {
        for (const float value : crop_of(picture, turned(centre, side, 77), 16)) {
          ASSERT_TRUE(value >= 0 && value <= 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace unianimate::pose
