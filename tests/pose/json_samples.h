// Poses for the tests of their files.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unianimate/pose/format/pose_sequence.h"

namespace unianimate::testing {

/// Random points in and around a 640×480 picture, about a third of them unseen.
inline pose::PoseSequence random_poses(std::size_t frames, std::size_t people, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> x(-30, 670);
  std::uniform_real_distribution<double> y(-30, 510);
  std::uniform_real_distribution<double> score(0, 1);
  pose::PoseSequence poses{640, 480, 30000.0 / 1001, "dwpose", {}};
  for (std::size_t i = 0; i < frames; ++i) {
    pose::PoseFrame& frame = poses.frames.emplace_back();
    frame.seconds = static_cast<double>(i) / poses.frames_per_second;
    for (std::size_t k = 0; k < people; ++k) {
      pose::Person& person = frame.people.emplace_back();
      person.track = static_cast<std::int64_t>(10 + k);
      person.filled = (i + k) % 3 == 0;
      for (pose::Keypoint& keypoint : person.keypoints) {
        keypoint = {{x(generator), y(generator)}, score(generator)};
      }
    }
  }
  return poses;
}

inline void expect_same_points(const pose::Keypoints& found, const pose::Keypoints& expected,
                               const std::string& where) {
  for (std::size_t i = 0; i < pose::kKeypoints; ++i) {
    EXPECT_EQ(found[i].at, expected[i].at) << where << ", point " << i;
    EXPECT_EQ(found[i].score, expected[i].score) << where << ", point " << i;
  }
}

inline void expect_same(const pose::PoseSequence& found, const pose::PoseSequence& expected) {
  EXPECT_EQ(found.width, expected.width);
  EXPECT_EQ(found.height, expected.height);
  EXPECT_EQ(found.frames_per_second, expected.frames_per_second);
  EXPECT_EQ(found.detector, expected.detector);
  ASSERT_EQ(found.frames.size(), expected.frames.size());
  for (std::size_t i = 0; i < expected.frames.size(); ++i) {
    EXPECT_EQ(found.frames[i].seconds, expected.frames[i].seconds);
    ASSERT_EQ(found.frames[i].people.size(), expected.frames[i].people.size());
    for (std::size_t k = 0; k < expected.frames[i].people.size(); ++k) {
      const pose::Person& person = found.frames[i].people[k];
      EXPECT_EQ(person.track, expected.frames[i].people[k].track);
      EXPECT_EQ(person.filled, expected.frames[i].people[k].filled);
      expect_same_points(person.keypoints, expected.frames[i].people[k].keypoints,
                         "frame " + std::to_string(i) + ", person " + std::to_string(k));
    }
  }
}

}  // namespace unianimate::testing
