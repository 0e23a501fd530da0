// Flat people of rigid bones that wave and step, for the tests of what is done with poses.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::testing {

/// Lengths of bones in pixels.
struct Build {
  double neck = 40;  ///< from the neck to the nose
  double shoulder = 36;
  double torso = 110;  ///< from the neck to the middle of the hips
  double hip = 20;
  double upper_arm = 62;
  double forearm = 54;
  double thigh = 90;
  double shin = 84;
  double eye = 10;
  double ear = 15;
  double hand = 22;
  double foot = 24;
};

inline Build scaled(Build build, double factor) {
  for (double Build::*length :
       {&Build::neck, &Build::shoulder, &Build::torso, &Build::hip, &Build::upper_arm, &Build::forearm, &Build::thigh,
        &Build::shin, &Build::eye, &Build::ear, &Build::hand, &Build::foot}) {
    build.*length *= factor;
  }
  return build;
}

/// The bones whose lengths the published tool takes from the reference, tip and root.
inline constexpr std::array<std::pair<std::size_t, std::size_t>, 15> kPublishedBones{
    {{pose::kNose, pose::kNeck},
     {pose::kRightShoulder, pose::kNeck},
     {pose::kLeftShoulder, pose::kNeck},
     {pose::kRightElbow, pose::kRightShoulder},
     {pose::kRightWrist, pose::kRightElbow},
     {pose::kLeftElbow, pose::kLeftShoulder},
     {pose::kLeftWrist, pose::kLeftElbow},
     {pose::kRightEye, pose::kNose},
     {pose::kLeftEye, pose::kNose},
     {pose::kRightEar, pose::kRightEye},
     {pose::kLeftEar, pose::kLeftEye},
     {pose::kRightKnee, pose::kRightHip},
     {pose::kRightAnkle, pose::kRightKnee},
     {pose::kLeftKnee, pose::kLeftHip},
     {pose::kLeftAnkle, pose::kLeftKnee}}};

/// Facing the camera, all points seen; `phase` in radians says how it holds itself.
inline pose::Keypoints walker(const Build& build, pose::Point neck, double phase) {
  using namespace pose;
  constexpr double kClear = 0.9;
  Keypoints keypoints{};
  const double lean = 0.15 * std::sin(phase);
  // Turned clockwise by `angle` from straight down.
  const auto way = [](double angle) { return Point{-std::sin(angle), std::cos(angle)}; };
  const auto put = [&](std::size_t index, Point at) { keypoints[index] = {at, kClear}; };
  const auto at = [&](std::size_t index) { return keypoints[index].at; };
  const Point down = way(lean);
  const Point to_left{down.y, -down.x};  // the person's left is on the right of the picture
  put(kNeck, neck);
  put(kNose, neck - way(lean * 1.5) * build.neck);
  const Point hips = neck + down * build.torso;
  constexpr double kStraightSide = std::numbers::pi / 2;
  const auto side = [&](double sign, std::size_t shoulder, std::size_t hip, std::size_t eye, std::size_t ear,
                        std::size_t toes, std::size_t hand) {
    const Point out = to_left * sign;
    const double swing = sign * std::sin(phase);
    put(shoulder, neck + out * build.shoulder);
    put(shoulder + 1, at(shoulder) + way(-sign * (0.5 + 0.4 * swing)) * build.upper_arm);
    put(shoulder + 2, at(shoulder + 1) + way(-sign * (1.1 + 0.6 * std::cos(phase + sign))) * build.forearm);
    put(hip, hips + out * build.hip);
    put(hip + 1, at(hip) + way(-sign * 0.1 + 0.3 * swing) * build.thigh);
    put(hip + 2, at(hip + 1) + way(-sign * 0.05 + 0.35 * swing) * build.shin);
    put(eye, at(kNose) + way(-sign * (kStraightSide + 0.6)) * build.eye);
    put(ear, at(eye) + way(-sign * (kStraightSide + 0.1)) * build.ear);
    put(toes, at(hip + 2) + way(-sign * 1.0) * build.foot);
    put(toes + 1, at(hip + 2) + way(-sign * 1.3) * build.foot);
    put(toes + 2, at(hip + 2) + way(sign * 0.3) * (build.foot / 3));
    for (std::size_t i = 0; i < kHandPoints; ++i) {
      const std::size_t number = (i + 3) / 4;
      const auto finger = static_cast<double>(number);
      const auto joint = static_cast<double>(i == 0 ? 0 : (i - 1) % 4 + 1);
      put(hand + i, at(shoulder + 2) + way(-sign * (0.4 + 0.2 * finger)) * (build.hand * joint / 4));
    }
  };
  side(1, kLeftShoulder, kLeftHip, kLeftEye, kLeftEar, kLeftBigToe, kLeftHand);
  side(-1, kRightShoulder, kRightHip, kRightEye, kRightEar, kRightBigToe, kRightHand);
  for (std::size_t i = 0; i < kFacePoints; ++i) {
    put(kFace + i, at(kNose) + way(0.7 * static_cast<double>(i)) * (build.eye * (0.5 + 0.02 * static_cast<double>(i))));
  }
  return keypoints;
}

/// One walker in a width × height video, whose neck begins at `start` and goes `step` with each frame.
inline pose::PoseSequence walk(const Build& build, std::size_t frames, pose::Point start, pose::Point step, int width,
                               int height) {
  constexpr double kPhase = 0.7;
  pose::PoseSequence motion{width, height, 16, "made", {}};
  for (std::size_t i = 0; i < frames; ++i) {
    const auto time = static_cast<double>(i);
    motion.frames.push_back({time / motion.frames_per_second, {{walker(build, start + step * time, kPhase * time)}}});
  }
  return motion;
}

inline void hide(pose::Keypoints& keypoints, std::size_t first, std::size_t count = 1) {
  for (std::size_t i = first; i < first + count; ++i) keypoints[i].score = 0;
}

inline void expect_finite(const pose::Keypoints& keypoints) {
  for (std::size_t i = 0; i < pose::kKeypoints; ++i) {
    EXPECT_TRUE(std::isfinite(keypoints[i].at.x) && std::isfinite(keypoints[i].at.y)) << "point " << i;
    EXPECT_TRUE(keypoints[i].score >= 0 && keypoints[i].score <= 1) << "point " << i;
  }
}

}  // namespace unianimate::testing
