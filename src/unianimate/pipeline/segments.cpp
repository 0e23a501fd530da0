#include "unianimate/pipeline/segments.h"

#include <algorithm>
#include <utility>

namespace unianimate::pipeline {

namespace {

/// `part` of `total` parts of b, the rest of a.
Image blend(const Image& a, const Image& b, std::int64_t part, std::int64_t total) {
  Image blended(a.width, a.height);
  std::ranges::transform(a.pixels, b.pixels, blended.pixels.begin(), [&](std::uint8_t x, std::uint8_t y) {
    return static_cast<std::uint8_t>(((total - part) * x + part * y + total / 2) / total);
  });
  return blended;
}

}  // namespace

std::vector<Segment> video_segments(std::int64_t frames, const family::AnimateRequest& request) {
  if (!request.chain) return {{0, frames}};
  const std::int64_t largest = request.chain->segment_size > 0 ? request.chain->segment_size : request.context.size;
  if (frames <= largest) return {{0, frames}};
  const std::int64_t overlap = request.chain->segment_overlap;
  const std::int64_t each = largest - overlap;
  const std::int64_t count = (frames - overlap + each - 1) / each;
  std::vector<Segment> segments;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t first = (frames - overlap) * i / count;
    segments.push_back({first, (frames - overlap) * (i + 1) / count + overlap - first});
  }
  return segments;
}

void SegmentJoiner::begin(std::int64_t size, bool is_last) {
  before_ = std::exchange(held_, {});
  size_ = size;
  written_ = 0;
  is_last_ = is_last;
}

void SegmentJoiner::write(const Image& frame) {
  const auto shared = static_cast<std::int64_t>(before_.size());
  const Image& joined =
      written_ < shared ? blend(before_[static_cast<std::size_t>(written_)], frame, written_ + 1, shared + 1) : frame;
  if (!is_last_ && written_ >= size_ - overlap_) {
    held_.push_back(joined);
  } else {
    sink_.write(joined);
  }
  ++written_;
}

}  // namespace unianimate::pipeline
