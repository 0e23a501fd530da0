#include "unianimate/studio/motion_pictures.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace unianimate::studio {

namespace {

/// Frames to decode ahead: fewer where they are large.
std::size_t ahead(int width, int height) {
  constexpr std::int64_t kMost = 4;
  constexpr std::int64_t kPixels = 32'000'000;
  return static_cast<std::size_t>(std::clamp(kPixels / (std::int64_t{width} * height), std::int64_t{1}, kMost));
}

}  // namespace

MotionPictures::MotionPictures(std::unique_ptr<FrameSource> source, int width, int height)
    : source_(std::move(source)), decoded_(ahead(width, height)), current_(width, height) {
  if (!source_) return;
  decoding_ = std::async(std::launch::async, [this] {
    const CloseAtEnd close(decoded_);
    while (std::optional<TimedFrame> frame = source_->next()) {
      if (!decoded_.push(std::move(*frame))) return;
    }
  });
  advance();
  start_ = next_ ? next_->seconds : 0;
}

MotionPictures::~MotionPictures() {
  decoded_.close();
}

const Image& MotionPictures::at(double seconds) {
  constexpr double kRounding = 1e-6;
  while (next_ && next_->seconds - start_ <= seconds + kRounding) {
    current_ = std::move(next_->image);
    advance();
  }
  return current_;
}

void MotionPictures::advance() {
  next_ = decoded_.pop();
  if (!next_ && decoding_.valid()) decoding_.get();
}

}  // namespace unianimate::studio
