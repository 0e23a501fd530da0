#include "unianimate/pose/format/keypoints.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace unianimate::pose {
namespace {

constexpr double kClear = 0.9;

WholeBody numbered() {
  WholeBody points;
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = {{static_cast<double>(i), 1000.0 - 2.0 * i}, kClear};
  return points;
}

/// As the published tool does it: the neck inserted behind the 17 body points, then positions filled from old ones.
TEST(Keypoints, OrderIsThatOfThePublishedTool) {
  const WholeBody points = numbered();
  std::vector<Keypoint> inserted(points.begin(), points.end());
  inserted.insert(inserted.begin() + 17, {{5.5, 989}, 1});
  std::vector<Keypoint> expected = inserted;
  const std::map<int, int> moves{{1, 17},  {2, 6},   {3, 8},   {4, 10}, {6, 7},  {7, 9},  {8, 12}, {9, 14},
                                 {10, 16}, {12, 13}, {13, 15}, {14, 2}, {15, 1}, {16, 4}, {17, 3}};
  for (const auto& [to, from] : moves) expected.at(to) = inserted.at(from);

  const Keypoints keypoints = from_whole_body(points);
  ASSERT_EQ(expected.size(), keypoints.size());
  for (std::size_t i = 0; i < keypoints.size(); ++i) {
    EXPECT_EQ(keypoints[i].at, expected[i].at) << i;
    EXPECT_EQ(keypoints[i].score, expected[i].score) << i;
  }
}

TEST(Keypoints, NeckNeedsBothShouldersOverTheThreshold) {
  const Keypoint clear{{10, 20}, kClear};
  const Keypoint just{{30, 40}, kSeenScore};
  EXPECT_EQ(neck_between(clear, just).score, 0);
  EXPECT_EQ(neck_between(just, clear).score, 0);
  EXPECT_EQ(neck_between(just, clear).at, (Point{20, 30}));
  EXPECT_EQ(neck_between(clear, {{30, 40}, 0.31}).score, 1);
  EXPECT_TRUE(just.seen());
}

TEST(Keypoints, MirroringTwiceIsNothing) {
  std::set<std::size_t> images;
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    EXPECT_EQ(mirrored(mirrored(i)), i);
    images.insert(mirrored(i));
  }
  EXPECT_EQ(images.size(), kKeypoints);
  EXPECT_EQ(*images.rbegin(), kKeypoints - 1);
}

TEST(Keypoints, MirroringSwapsSidesOfTheBody) {
  const std::map<std::size_t, std::size_t> pairs{{kNose, kNose},
                                                 {kNeck, kNeck},
                                                 {kRightShoulder, kLeftShoulder},
                                                 {kRightElbow, kLeftElbow},
                                                 {kRightWrist, kLeftWrist},
                                                 {kRightHip, kLeftHip},
                                                 {kRightKnee, kLeftKnee},
                                                 {kRightAnkle, kLeftAnkle},
                                                 {kRightEye, kLeftEye},
                                                 {kRightEar, kLeftEar},
                                                 {kRightBigToe, kLeftBigToe},
                                                 {kRightSmallToe, kLeftSmallToe},
                                                 {kRightHeel, kLeftHeel}};
  for (const auto& [a, b] : pairs) EXPECT_EQ(mirrored(a), b);
  for (std::size_t i = 0; i < kHandPoints; ++i) EXPECT_EQ(mirrored(kLeftHand + i), kRightHand + i);
}

/// The landmarks of a face seen from the front, in iBUG's order, drawn by hand on a grid that is symmetric in x: the
/// mirrored point must be the one that stands there.
TEST(Keypoints, MirroringSwapsSidesOfTheFace) {
  using Half = std::vector<std::pair<int, int>>;
  std::vector<std::pair<int, int>> face;
  const auto add_across = [&face](const Half& left, bool with_middle, int middle_y) {
    face.insert(face.end(), left.begin(), left.end());
    if (with_middle) face.emplace_back(0, middle_y);
    for (auto point = left.rbegin(); point != left.rend(); ++point) face.emplace_back(-point->first, point->second);
  };
  add_across({{-16, 0}, {-15, 3}, {-14, 6}, {-13, 9}, {-11, 12}, {-9, 14}, {-6, 16}, {-3, 17}}, true, 18);  // jaw
  add_across({{-13, -6}, {-11, -8}, {-9, -8}, {-7, -7}, {-4, -6}}, false, 0);                               // brows
  for (const int y : {-3, -1, 1, 3}) face.emplace_back(0, y);                                               // nose
  add_across({{-3, 5}, {-2, 6}}, true, 7);
  face.insert(face.end(), {{-10, -2}, {-9, -4}, {-7, -4}, {-6, -2}, {-7, -3}, {-9, -3}});  // eyes, each clockwise
  face.insert(face.end(), {{6, -2}, {7, -4}, {9, -4}, {10, -2}, {9, -3}, {7, -3}});
  add_across({{-6, 10}, {-4, 9}, {-2, 8}}, true, 9);  // mouth: upper edge, then lower edge from the other side
  face.insert(face.end(), {{4, 12}, {2, 13}, {0, 14}, {-2, 13}, {-4, 12}});
  face.insert(face.end(), {{-5, 10}, {-1, 10}, {0, 10}, {1, 10}, {5, 10}, {1, 11}, {0, 11}, {-1, 11}});
  ASSERT_EQ(face.size(), kFacePoints);
  for (std::size_t i = 0; i < kFacePoints; ++i) {
    const auto& [x, y] = face[i];
    EXPECT_EQ(face[mirrored(kFace + i) - kFace], std::pair(-x, y)) << i;
  }
}

TEST(Keypoints, MirroringMovesPointsAndNames) {
  constexpr double kWidth = 640;
  const Keypoints keypoints = from_whole_body(numbered());
  const Keypoints mirror = mirrored(keypoints, kWidth);
  EXPECT_EQ(mirror[kLeftWrist].at, (Point{kWidth - keypoints[kRightWrist].at.x, keypoints[kRightWrist].at.y}));
  EXPECT_EQ(mirror[kNose].at, (Point{kWidth - keypoints[kNose].at.x, keypoints[kNose].at.y}));
  EXPECT_EQ(mirror[kRightSmallToe].at.y, keypoints[kLeftSmallToe].at.y);
  EXPECT_EQ(mirror[kLeftHand + 8].at.y, keypoints[kRightHand + 8].at.y);
  EXPECT_EQ(mirror[kFace].at.y, keypoints[kFace + 16].at.y);
  EXPECT_EQ(mirror[kNeck].score, 1);
  const Keypoints back = mirrored(mirror, kWidth);
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    EXPECT_EQ(back[i].at, keypoints[i].at) << i;
    EXPECT_EQ(back[i].score, keypoints[i].score) << i;
  }
}

TEST(Keypoints, BoxHoldsSeenPointsOfBodyAndFeet) {
  Keypoints keypoints{};
  EXPECT_EQ(bounding_box(keypoints).area(), 0);
  keypoints[kNose] = {{50, -10}, kClear};
  keypoints[kLeftHeel] = {{20, 90}, kSeenScore};
  keypoints[kRightHeel] = {{500, 500}, 0.29};
  keypoints[kFace] = {{600, 600}, kClear};
  keypoints[kLeftHand] = {{-600, -600}, kClear};
  const Box box = bounding_box(keypoints);
  EXPECT_EQ(box.left, 20);
  EXPECT_EQ(box.right, 50);
  EXPECT_EQ(box.top, -10);
  EXPECT_EQ(box.bottom, 90);
  EXPECT_EQ(box.centre(), (Point{35, 40}));
}

TEST(Keypoints, OverlapIsIntersectionOverUnion) {
  const Box box{0, 0, 10, 20};
  EXPECT_DOUBLE_EQ(overlap(box, box), 1);
  EXPECT_DOUBLE_EQ(overlap(box, {5, 0, 15, 20}), 1.0 / 3);
  EXPECT_DOUBLE_EQ(overlap(box, {2, 5, 7, 15}), 0.25);
  EXPECT_EQ(overlap(box, {11, 21, 30, 40}), 0);
  EXPECT_EQ(overlap({}, {}), 0);
}

}  // namespace
}  // namespace unianimate::pose
