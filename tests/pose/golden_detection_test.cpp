// The published detectors' pre- and post-processing, and the networks' runner, against golden numbers.
#include <gtest/gtest.h>

#include <cmath>

#include "support/golden_file.h"
#include "support/rule.h"
#include "support/temporary_folder.h"
#include "unianimate/pose/detect/detector.h"
#include "unianimate/pose/detect/dwpose/person_boxes.h"
#include "unianimate/pose/detect/dwpose/whole_body.h"
#include "unianimate/pose/detect/network.h"

namespace unianimate::pose {
namespace {

using testing::GoldenFile;

constexpr std::int64_t kHeight = 300;
constexpr std::int64_t kWidth = 200;

/// The golden picture is blue first.
Image picture() {
  const at::Tensor bytes = testing::rule_picture("frame300x200", kHeight, kWidth).flip({2}).contiguous();
  Image image(kWidth, kHeight);
  std::copy_n(bytes.data_ptr<std::uint8_t>(), bytes.numel(), image.pixels.begin());
  return image;
}

GoldenFile golden() {
  return GoldenFile(testing::golden_folder() / "pose_detect.safetensors");
}

std::span<const float> values(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// What the golden file's network gave: nothing anywhere but in some rows.
at::Tensor yolox_output() {
  at::Tensor output = at::full({dwpose::kYoloxRows, dwpose::kYoloxColumns}, 0.01);
  output.slice(1, 0, 2).fill_(0);
  output.slice(1, 2, 4).fill_(1);
  output.index_put_({golden().tensor("yolox_rows")}, golden().tensor("yolox_raw"));
  return output;
}

std::vector<Box> golden_boxes() {
  const at::Tensor boxes = golden().tensor("boxes");
  std::vector<Box> list;
  for (std::int64_t i = 0; i < boxes.size(0); ++i) {
    const auto at = [&](int column) { return boxes[i][column].item<double>(); };
    list.push_back({at(0), at(1), at(2), at(3)});
  }
  return list;
}

double letterbox_scale() {
  std::vector<float> input(std::size_t{3} * dwpose::kYoloxSide * dwpose::kYoloxSide);
  return dwpose::fill_yolox_input(picture(), input);
}

TEST(YoloxTest, InputIsThePublishedOne) {
  at::Tensor input = at::empty({3, dwpose::kYoloxSide, dwpose::kYoloxSide});
  dwpose::fill_yolox_input(picture(), {input.data_ptr<float>(), static_cast<std::size_t>(input.numel())});
  const at::Tensor every_fourth = input.slice(1, 0, dwpose::kYoloxSide, 4).slice(2, 0, dwpose::kYoloxSide, 4);
  EXPECT_LE((every_fourth - golden().tensor("yolox_input")).abs().max().item<float>(), 5);
}

TEST(YoloxTest, BoxesAreThePublishedOnes) {
  const at::Tensor output = yolox_output();
  const std::vector<Box> boxes = dwpose::read_person_boxes(values(output), letterbox_scale());
  const std::vector<Box> expected = golden_boxes();
  ASSERT_EQ(boxes.size(), expected.size());
  constexpr double kTolerance = 1e-3;  // of float sums in another order, in pixels
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_NEAR(boxes[i].left, expected[i].left, kTolerance) << i;
    EXPECT_NEAR(boxes[i].top, expected[i].top, kTolerance) << i;
    EXPECT_NEAR(boxes[i].right, expected[i].right, kTolerance) << i;
    EXPECT_NEAR(boxes[i].bottom, expected[i].bottom, kTolerance) << i;
  }
}

TEST(YoloxTest, NoPersonGivesNoBox) {
  const at::Tensor output = at::zeros({dwpose::kYoloxRows, dwpose::kYoloxColumns});
  EXPECT_TRUE(dwpose::read_person_boxes(values(output), 1).empty());
}

TEST(YoloxTest, ValuesThatAreNoNumbersGiveNoBox) {
  const at::Tensor output = at::full({dwpose::kYoloxRows, dwpose::kYoloxColumns}, NAN);
  EXPECT_TRUE(dwpose::read_person_boxes(values(output), 1).empty());
}

TEST(WholeBodyTest, InputIsThePublishedOne) {
  const std::vector<Box> boxes = golden_boxes();
  const at::Tensor expected = golden().tensor("pose_input");
  for (std::int64_t i = 0; i < expected.size(0); ++i) {
    at::Tensor input = at::empty({3, dwpose::kCropHeight, dwpose::kCropWidth});
    dwpose::fill_whole_body_input(picture(), dwpose::crop_frame(boxes[static_cast<std::size_t>(i)]),
                                  {input.data_ptr<float>(), static_cast<std::size_t>(input.numel())});
    const at::Tensor every_fourth = input.slice(1, 0, dwpose::kCropHeight, 4).slice(2, 0, dwpose::kCropWidth, 4);
    constexpr double kFiveLevels = 5 / 57.0;
    EXPECT_LE((every_fourth - expected[i]).abs().max().item<double>(), kFiveLevels) << i;
  }
}

class SimccTest : public ::testing::Test {
 protected:
  SimccTest()
      : simcc_x_(testing::rule_input("simcc_x", {2, kWholeBodyPoints, dwpose::kSimccX}, 0, 1)),
        simcc_y_(testing::rule_input("simcc_y", {2, kWholeBodyPoints, dwpose::kSimccY}, 0, 1)) {
    simcc_x_[0][5].fill_(-1);
  }
  [[nodiscard]] WholeBody points(std::int64_t row, const Box& box) const {
    return dwpose::read_whole_body(values(simcc_x_[row]), values(simcc_y_[row]), dwpose::crop_frame(box));
  }

  at::Tensor simcc_x_;
  at::Tensor simcc_y_;
};

void expect_points(const WholeBody& found, const at::Tensor& expected) {
  constexpr double kTolerance = 1e-6;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const at::Tensor point = expected[static_cast<std::int64_t>(i)];
    EXPECT_NEAR(found[i].at.x, point[0].item<double>(), kTolerance) << i;
    EXPECT_NEAR(found[i].at.y, point[1].item<double>(), kTolerance) << i;
  }
}

TEST_F(SimccTest, PointsAndScoresAreThePublishedOnes) {
  const std::vector<Box> boxes = golden_boxes();
  const at::Tensor scores = golden().tensor("scores");
  for (std::int64_t k = 0; k < 2; ++k) {
    const WholeBody found = points(k, boxes[static_cast<std::size_t>(k)]);
    expect_points(found, golden().tensor("keypoints")[k]);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_FLOAT_EQ(static_cast<float>(found[i].score), scores[k][static_cast<std::int64_t>(i)].item<float>())
          << k << ", " << i;
    }
  }
}

TEST_F(SimccTest, WithoutABoxThePointsAreThoseOfTheWholePicture) {
  expect_points(points(0, {0, 0, kWidth, kHeight}), golden().tensor("keypoints_no_person")[0]);
}

TEST_F(SimccTest, TheOrderIsThePublishedOne) {
  const std::vector<Box> boxes = golden_boxes();
  const at::Tensor expected = golden().tensor("openpose134");
  const at::Tensor scores = golden().tensor("openpose134_scores");
  for (std::int64_t k = 0; k < expected.size(0); ++k) {
    const Keypoints found = from_whole_body(points(k % 2, boxes[static_cast<std::size_t>(k)]));
    for (std::size_t i = 0; i < kKeypoints; ++i) {
      const auto row = static_cast<std::int64_t>(i);
      EXPECT_NEAR(found[i].score, scores[k][row].item<double>(), 1e-6) << k << ", " << i;
      EXPECT_NEAR(found[i].at.x, expected[k][row][0].item<double>(), 1e-6) << k << ", " << i;
      EXPECT_NEAR(found[i].at.y, expected[k][row][1].item<double>(), 1e-6) << k << ", " << i;
    }
  }
}

// The small networks in the places of the published files: nothing of what they find means anything.
TEST(DwposeTest, RunsFromTheFilesOfAUser) {
  const testing::TemporaryFolder folder;
  std::filesystem::copy(testing::golden_folder() / "onnx/yolox_small.onnx", folder / "yolox_l.onnx");
  std::filesystem::copy(testing::golden_folder() / "onnx/wholebody_small.onnx", folder / "dw-ll_ucoco_384.onnx");
  const ChosenDetector chosen = make_detector({DetectorChoice::kAuto, folder.path(), {}, 1});
  EXPECT_EQ(chosen.detector->name(), "dwpose");
  const auto finder = chosen.detector->make_finder();
  const auto estimator = chosen.detector->make_estimator(EstimatorEffort::kFrames);
  const std::vector<FoundPerson> people = finder->find(picture());
  ASSERT_FALSE(people.empty());
  EXPECT_LE(people.size(), 20U);
  const Keypoints keypoints = estimator->estimate(picture(), people.front());
  const dwpose::CropFrame frame = dwpose::crop_frame(people.front().box);
  for (const Keypoint& point : keypoints) {
    EXPECT_NEAR(point.at.x, frame.centre.x, frame.width / 2 + 1);
    EXPECT_NEAR(point.at.y, frame.centre.y, frame.height / 2 + 1);
  }
}

double largest(const at::Tensor& t) {
  return t.abs().max().item<double>();
}

TEST(NetworkTest, YoloxGivesTheOtherRuntimesNumbers) {
  const auto folder = testing::golden_folder() / "onnx";
  const GoldenFile expected(folder / "yolox_small.safetensors");
  Inference inference(Network(folder / "yolox_small.onnx", dwpose::yolox_interface(), {}));
  const at::Tensor input =
      testing::rule_input("onnx_yolox_small", {1, 3, dwpose::kYoloxSide, dwpose::kYoloxSide}, 0, 255);
  std::ranges::copy(values(input), inference.input().begin());
  inference.run();
  const std::span<const float> output = inference.output(0);
  const at::Tensor rows =
      at::from_blob(const_cast<float*>(output.data()), {1, dwpose::kYoloxRows, dwpose::kYoloxColumns})
          .slice(1, 0, dwpose::kYoloxRows, 8);
  EXPECT_LE(testing::relative_error(rows, expected.tensor("output")), 1e-4);
}

TEST(NetworkTest, WholeBodyGivesTheOtherRuntimesNumbers) {
  const auto folder = testing::golden_folder() / "onnx";
  const GoldenFile expected(folder / "wholebody_small.safetensors");
  Inference inference(Network(folder / "wholebody_small.onnx", dwpose::whole_body_interface(), {}));
  const at::Tensor input = testing::rule_input("onnx_wholebody_small", {1, 3, dwpose::kCropHeight, dwpose::kCropWidth});
  std::ranges::copy(values(input), inference.input().begin());
  inference.run();
  const std::array<std::string, 2> names{"simcc_x", "simcc_y"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const at::Tensor wanted = expected.tensor(names[i]);
    const std::span<const float> output = inference.output(i);
    const at::Tensor found = at::from_blob(const_cast<float*>(output.data()), wanted.sizes());
    EXPECT_LE(testing::relative_error(found, wanted), 1e-4) << names[i];
    EXPECT_TRUE(found.argmax(-1).equal(wanted.argmax(-1))) << names[i];
    EXPECT_GT(largest(found), 0);
  }
}

}  // namespace
}  // namespace unianimate::pose
