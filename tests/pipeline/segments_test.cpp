#include "unianimate/pipeline/segments.h"

#include <gtest/gtest.h>

#include <array>

#include "unianimate/core/error.h"
#include "unianimate/pipeline/color_match.h"

namespace unianimate::pipeline {
namespace {

class ValueCollector : public FrameSink {
 public:
  void write(const Image& frame) override { values.push_back(frame.pixels[0]); }
  void finish() override {}
  std::vector<int> values;
};

Image flat(int value) {
  Image image(2, 2);
  std::fill(image.pixels.begin(), image.pixels.end(), static_cast<std::uint8_t>(value));
  return image;
}

TEST(VideoSegments, CoverEveryFrameAndShareTheOverlap) {
  family::AnimateRequest request;
  EXPECT_EQ(video_segments(1000, request), (std::vector<Segment>{{0, 1000}}));
  for (const std::int64_t overlap : {1, 4}) {
    request.chain = family::ChainOptions{.segment_size = 12, .segment_overlap = overlap};
    for (std::int64_t frames = 1; frames < 200; ++frames) {
      const std::vector<Segment> segments = video_segments(frames, request);
      EXPECT_EQ(segments.front().first, 0);
      EXPECT_EQ(segments.back().first + segments.back().size, frames);
      for (std::size_t i = 0; i < segments.size(); ++i) {
        EXPECT_LE(segments[i].size, 12);
        if (i == 0) continue;
        EXPECT_EQ(segments[i].first, segments[i - 1].first + segments[i - 1].size - overlap);
        EXPECT_GT(segments[i].size, overlap);
        EXPECT_LE(std::abs(segments[i].size - segments[i - 1].size), 1);
      }
    }
  }
}

TEST(VideoSegments, AreAContextWindowLongUnlessToldOtherwise) {
  family::AnimateRequest request;
  request.context.size = 9;
  request.chain = family::ChainOptions{};
  EXPECT_EQ(video_segments(17, request), (std::vector<Segment>{{0, 9}, {8, 9}}));
  request.chain->segment_overlap = 5;
  EXPECT_THROW(request.check(), Error);
}

TEST(SegmentJoiner, FadesFromOneSegmentIntoTheNext) {
  ValueCollector sink;
  SegmentJoiner joiner(sink, 3);
  joiner.begin(5, false);
  for (int i = 0; i < 5; ++i) joiner.write(flat(100));
  joiner.begin(6, false);
  for (int i = 0; i < 6; ++i) joiner.write(flat(200));
  joiner.begin(4, true);
  for (int i = 0; i < 4; ++i) joiner.write(flat(0));
  EXPECT_EQ(sink.values, (std::vector<int>{100, 100, 125, 150, 175, 150, 100, 50, 0}));
}

TEST(MatchColors, GivesTheMeanAndSpreadOfTheReference) {
  Image reference(2, 1);
  reference.pixels = {100, 50, 0, 120, 70, 0};
  std::array<Image, 2> pictures{Image(2, 1), Image(2, 1)};
  pictures[0].pixels = {10, 100, 9, 30, 120, 9};
  pictures[1].pixels = {30, 120, 9, 10, 100, 9};
  match_colors(pictures, reference);
  EXPECT_EQ(pictures[0].pixels, (std::vector<std::uint8_t>{100, 50, 0, 120, 70, 0}));
  EXPECT_EQ(pictures[1].pixels, (std::vector<std::uint8_t>{120, 70, 0, 100, 50, 0}));
}

}  // namespace
}  // namespace unianimate::pipeline
