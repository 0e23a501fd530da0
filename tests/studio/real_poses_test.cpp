// A real video and real pictures against joints read off pictures that the published tool made with its own detector.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "support/temporary_folder.h"
#include "unianimate/studio/pose_preparation.h"

namespace unianimate::studio {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

struct Agreement {
  std::size_t joints = 0;
  double within_2_percent = 0;
  double within_5_percent = 0;
};

/// Shares of the joints in the file that lie so near to ours, in canvas heights.
Agreement agreement(const pose::AlignedPoses& poses, const fs::path& file) {
  constexpr double kClose = 0.02;
  constexpr double kNear = 0.05;
  const nlohmann::json truth = nlohmann::json::parse(std::ifstream(file));
  const double height = truth.at("canvas_WH").at(1);
  Agreement result;
  for (const auto& [name, joints] : truth.at("frames").items()) {
    if (!std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    const std::size_t frame = std::stoul(name);
    if (frame >= poses.motion.frames.size() || poses.motion.frames[frame].people.empty()) continue;
    for (std::size_t joint = 0; joint < joints.size(); ++joint) {
      if (joints[joint].is_null()) continue;
      const pose::Point expected{joints[joint].at(0), joints[joint].at(1)};
      const pose::Point found = pose::drawn_point(poses.motion.frames[frame].people.front().keypoints, joint).at;
      const double off = pose::distance(found, expected) / height;
      ++result.joints;
      result.within_2_percent += off <= kClose ? 1 : 0;
      result.within_5_percent += off <= kNear ? 1 : 0;
    }
  }
  result.within_2_percent *= 100.0 / static_cast<double>(result.joints);
  result.within_5_percent *= 100.0 / static_cast<double>(result.joints);
  return result;
}

struct Case {
  const char* picture;
  const char* joints;
  double within_5_percent;
  double within_2_percent;
};

std::optional<fs::path> folder_of(const char* variable) {
  const char* const folder = std::getenv(variable);
  return folder != nullptr && *folder != '\0' ? std::optional<fs::path>(folder) : std::nullopt;
}

class RealPoses : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    data_ = folder_of("UNIANIMATE_REAL_DATA");
    joints_ = folder_of("UNIANIMATE_REAL_JOINTS");
    if (!data_ || !joints_) {
      GTEST_SKIP() << "real poses are not compared: UNIANIMATE_REAL_DATA and UNIANIMATE_REAL_JOINTS name no folders of "
                      "pictures, video and joints";
    }
  }

  /// All alignments share one folder, and so the poses found in the video.
  [[nodiscard]] Agreement measure(pose::AlignmentMethod method) const {
    static const TemporaryFolder output;
    AlignRequest request;
    request.reference = *data_ / "images" / GetParam().picture;
    request.motion = *data_ / "videos" / "source_video.mp4";
    request.output = output / "poses";
    request.detector.choice = pose::DetectorChoice::kBlazepose;
    request.alignment.method = method;
    request.preview = false;
    Progress silent;
    const AlignResult result = prepare_poses(request, silent);
    EXPECT_EQ(result.frames_found, result.frames_looked_at);
    const Agreement found = agreement(result.poses, *joints_ / GetParam().joints);
    std::cout << fmt::format("{} {}: {} joints, {:.2f} % within 5 %, {:.2f} % within 2 %\n", GetParam().picture,
                             result.poses.report.method, found.joints, found.within_5_percent, found.within_2_percent);
    return found;
  }
  static void expect_good(const Agreement& found) {
    EXPECT_GE(found.within_5_percent, GetParam().within_5_percent);
    EXPECT_GE(found.within_2_percent, GetParam().within_2_percent);
  }

 private:
  std::optional<fs::path> data_;
  std::optional<fs::path> joints_;
};

TEST_P(RealPoses, PublishedAlignmentAgreesWithThePublishedTool) {
  expect_good(measure(pose::AlignmentMethod::kPublished));
}

TEST_P(RealPoses, RobustAlignmentAgreesWithThePublishedTool) {
  expect_good(measure(pose::AlignmentMethod::kRobust));
}

INSTANTIATE_TEST_SUITE_P(
    Pictures, RealPoses,
    ::testing::Values(Case{"WOMEN-Blouses_Shirts-id_00004955-01_4_full.jpg",
                           "published_joints_WOMEN-Blouses_Shirts-id_00004955-01_4_fu.json", 99.5, 88},
                      Case{"musk.jpg", "published_joints_musk.json", 93, 40}),
    [](const auto& test) { return fs::path(test.param.picture).stem() == "musk" ? "HalfLength" : "FullLength"; });

}  // namespace
}  // namespace unianimate::studio
