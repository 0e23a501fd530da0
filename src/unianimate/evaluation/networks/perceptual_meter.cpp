#include "unianimate/evaluation/networks/perceptual_meter.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <utility>

#include "unianimate/core/error.h"

namespace unianimate::evaluation {

namespace {

constexpr float kHalfRange = 127.5F;
constexpr float kWholeRange = 255;

/// (1, h, w, 3), values from 0 to 255.
at::Tensor values_of(const Image& image) {
  const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(image.pixels.data()),
                                         {1, image.height, image.width, Image::kChannels}, at::kByte);
  return bytes.to(at::kFloat);
}

void require_lpips_size(const Image& image) {
  constexpr int kSmallest = 32;
  if (std::min(image.width, image.height) >= kSmallest) return;
  throw Error(ErrorKind::kUsage, "LPIPS needs pictures of at least {}x{} pixels, found {}x{}", kSmallest, kSmallest,
              image.width, image.height);
}

std::optional<double> distance(const FeatureStatistics& made, const FeatureStatistics& truth) {
  if (made.count() < 2 || truth.count() < 2) return std::nullopt;
  return frechet_distance(made, truth);
}

}  // namespace

at::Tensor fid_features(const InceptionV3& network, const Image& frame) {
  return network.features(values_of(frame).permute({0, 3, 1, 2}).contiguous() / kWholeRange);
}

at::Tensor fvd_frame(const Image& frame) {
  constexpr std::array<std::int64_t, 2> kSize{I3d::kSide, I3d::kSide};
  const at::Tensor planes = values_of(frame).permute({0, 3, 1, 2}).contiguous();
  return at::_upsample_bicubic2d_aa(planes, kSize, false).squeeze(0) / kHalfRange - 1;
}

PerceptualMeter::PerceptualMeter(const MetricNetworks& networks, int clip_stride)
    : networks_(networks), clip_stride_(clip_stride) {
  if (clip_stride >= 1 && clip_stride <= kClipFrames) return;
  throw Error(ErrorKind::kUsage,
              "the clips of FVD must begin 1 to {} frames after one another (--clip-stride), found {}", kClipFrames,
              clip_stride);
}

void PerceptualMeter::take(const Image& frame, Side& side) const {
  if (networks_.inception) side.frames.add(fid_features(*networks_.inception, frame));
  if (!networks_.i3d) return;
  side.clip.push_back(fvd_frame(frame));
  if (side.clip.size() < static_cast<std::size_t>(kClipFrames)) return;
  side.clips.add(networks_.i3d->logits(at::stack(side.clip, 1).unsqueeze(0)));
  side.clip.erase(side.clip.begin(), side.clip.begin() + clip_stride_);
}

void PerceptualMeter::add(const Image& made, const Image& truth) {
  const at::NoGradGuard no_grad;
  ++frames_;
  if (networks_.lpips_alex || networks_.lpips_vgg) {
    require_lpips_size(made);
    const at::Tensor a = values_of(made) / kHalfRange - 1;
    const at::Tensor b = values_of(truth) / kHalfRange - 1;
    if (networks_.lpips_alex) lpips_alex_ += networks_.lpips_alex->distance(a, b).item<double>();
    if (networks_.lpips_vgg) lpips_vgg_ += networks_.lpips_vgg->distance(a, b).item<double>();
  }
  take(made, made_);
  take(truth, true_);
}

Similarity PerceptualMeter::end_video() {
  Similarity mean;
  const auto frames = static_cast<double>(frames_);
  if (networks_.lpips_alex && frames_ > 0) mean.lpips_alex = lpips_alex_ / frames;
  if (networks_.lpips_vgg && frames_ > 0) mean.lpips_vgg = lpips_vgg_ / frames;
  frames_ = 0;
  lpips_alex_ = lpips_vgg_ = 0;
  made_.clip.clear();
  true_.clip.clear();
  return mean;
}

std::optional<double> PerceptualMeter::fid() const {
  return distance(made_.frames, true_.frames);
}

std::optional<double> PerceptualMeter::fvd() const {
  return distance(made_.clips, true_.clips);
}

}  // namespace unianimate::evaluation
