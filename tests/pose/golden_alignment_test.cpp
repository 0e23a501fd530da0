// The published alignment and drawing against golden numbers: every pose_align_*.safetensors with its pictures.
#include <gtest/gtest.h>

#include <cmath>

#include "support/golden_file.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pose/align/published_alignment.h"
#include "unianimate/pose/draw/drawing.h"

namespace unianimate::pose {
namespace {

namespace fs = std::filesystem;
using testing::GoldenFile;

Keypoints keypoints_of(const at::Tensor& points, const at::Tensor& scores) {
  Keypoints keypoints{};
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    keypoints[i] = {{points[row][0].item<double>(), points[row][1].item<double>()}, scores[row].item<double>()};
  }
  return keypoints;
}

/// The source's frames and last the reference, read and aligned.
std::vector<PublishedPose> aligned_rows(const GoldenFile& golden) {
  const auto source_size = golden.metadata("source_WH");
  const auto reference_size = golden.metadata("reference_WH");
  const at::Tensor points = golden.tensor("source.points_px");
  const at::Tensor scores = golden.tensor("source.scores");
  std::vector<PublishedPose> rows;
  for (std::int64_t frame = 0; frame < points.size(0); ++frame) {
    rows.push_back(to_published(keypoints_of(points[frame], scores[frame]), source_size[0], source_size[1]));
  }
  const PublishedPose reference =
      to_published(keypoints_of(golden.tensor("reference.points_px"), golden.tensor("reference.scores")),
                   reference_size[0], reference_size[1]);
  align_published(rows, reference);
  rows.push_back(reference);
  return rows;
}

void expect_near(Point found, const at::Tensor& expected, const std::string& what) {
  constexpr double kTolerance = 1e-6;
  EXPECT_NEAR(found.x, expected[0].item<double>(), kTolerance) << what;
  EXPECT_NEAR(found.y, expected[1].item<double>(), kTolerance) << what;
}

class GoldenAlignment : public ::testing::TestWithParam<fs::path> {};

TEST_P(GoldenAlignment, PointsAreThePublishedOnes) {
  const GoldenFile golden(GetParam());
  const std::vector<PublishedPose> rows = aligned_rows(golden);
  const at::Tensor body = golden.tensor("aligned.body");
  const at::Tensor index = golden.tensor("aligned.body_index");
  const at::Tensor faces = golden.tensor("aligned.faces");
  const at::Tensor hands = golden.tensor("aligned.hands");
  ASSERT_EQ(body.size(0), static_cast<std::int64_t>(rows.size()));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto r = static_cast<std::int64_t>(row);
    const std::string name = "row " + std::to_string(row);
    for (std::size_t i = 0; i < PublishedPose::kBody; ++i) {
      const auto column = static_cast<std::int64_t>(i);
      expect_near(rows[row].body[i], body[r][column], name + ", body " + std::to_string(i));
      EXPECT_EQ(rows[row].seen[i], index[r][column].item<double>() >= 0) << name << ", body " << i;
    }
    for (std::size_t i = 0; i < kFacePoints; ++i) {
      expect_near(rows[row].face[i], faces[r][static_cast<std::int64_t>(i)], name + ", face " + std::to_string(i));
    }
    for (std::size_t hand = 0; hand < 2; ++hand) {
      for (std::size_t i = 0; i < kHandPoints; ++i) {
        expect_near(rows[row].hands[hand][i], hands[r][static_cast<std::int64_t>(hand)][static_cast<std::int64_t>(i)],
                    name + ", hand " + std::to_string(hand) + " point " + std::to_string(i));
      }
    }
  }
}

TEST_P(GoldenAlignment, CanvasesArePixelForPixelThePublishedOnes) {
  const fs::path& file = GetParam();
  const std::vector<PublishedPose> rows = aligned_rows(GoldenFile(file));
  int pictures = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const fs::path picture = file.parent_path() / (file.stem().string() + "_" + std::to_string(row) + ".png");
    if (!fs::exists(picture)) continue;
    ++pictures;
    const Image drawn = draw_pose(from_published(rows[row], kCanvasWidth, kCanvasHeight), kCanvasWidth, kCanvasHeight);
    EXPECT_TRUE(drawn == read_image(picture)) << picture;
  }
  EXPECT_GT(pictures, 0) << "no picture stands beside " << file;
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenAlignment, ::testing::ValuesIn(testing::golden_files("pose_align_")),
                         [](const auto& file) { return testing::test_name(file.param); });

}  // namespace
}  // namespace unianimate::pose
