#include "unianimate/family/request.h"

#include "unianimate/core/error.h"

namespace unianimate::family {

namespace {

constexpr int kSmallestSide = 16;
constexpr int kLargestSide = 4096;
constexpr double kLargestGuidance = 100;
constexpr std::int64_t kMostFrames = 1'000'000;

void check_side(const char* name, int side) {
  if (side >= kSmallestSide && side <= kLargestSide) return;
  throw Error(ErrorKind::kUsage, "{} must be between {} and {} pixels, found {}", name, kSmallestSide, kLargestSide,
              side);
}

void check_range(const char* name, std::int64_t value, std::int64_t lowest, std::int64_t highest) {
  if (value >= lowest && value <= highest) return;
  throw Error(ErrorKind::kUsage, "{} must be between {} and {}, found {}", name, lowest, highest, value);
}

}  // namespace

void ChainOptions::check() const {
  check_range("the segment size", segment_size, 0, kMostFrames);
  check_range("the segment overlap", segment_overlap, 1, kMostFrames);
}

void AnimateRequest::check() const {
  check_side("width", width);
  check_side("height", height);
  check_range("the number of frames", max_frames.value_or(1), 1, kMostFrames);
  check_range("the frame interval", frame_interval, 1, kMostFrames);
  sampling.check();
  if (!(guidance_scale >= 0 && guidance_scale <= kLargestGuidance)) {
    throw Error(ErrorKind::kUsage, "the guidance scale must be between 0 and {}, found {}", kLargestGuidance,
                guidance_scale);
  }
  check_range("the noise prior", noise_prior, 0, diffusion::kTimesteps - 1);
  context.check();
  check_range("the context size", context.size, 1, kMostFrames);
  check_range("the context batch size", context.batch_size, 1, kMostFrames);
  if (chain) {
    chain->check();
    const std::int64_t segment = chain->segment_size > 0 ? chain->segment_size : context.size;
    if (2 * chain->segment_overlap > segment) {
      throw Error(ErrorKind::kUsage, "the segment overlap must be at most half of the segment size {}, found {}",
                  segment, chain->segment_overlap);
    }
  }
  check_range("the decode batch", decode_batch, 1, kLargestDecodeBatch);
}

}  // namespace unianimate::family
