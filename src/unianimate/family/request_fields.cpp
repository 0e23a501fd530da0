#include "unianimate/family/request_fields.h"

#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/media/pictures/color_fields.h"
#include "unianimate/media/pictures/framing_fields.h"

template <>
struct unianimate::fields::TextForm<unianimate::family::ConditionSet> {
  static std::string text(const family::ConditionSet& conditions) { return conditions.names(); }
  static family::ConditionSet parse(std::string_view text) { return family::ConditionSet::parse(text); }
};

namespace unianimate::family {

namespace {

using diffusion::kSamplingGroup;
using diffusion::kWindowGroup;
using fields::group;
using fields::kByModel;
using fields::range;

constexpr double kMostFrames = 1'000'000;

}  // namespace

void visit(fields::Archive& archive, ChainOptions& chain) {
  archive("segment_size", chain.segment_size, range(0, kMostFrames), fields::kUntoldDefault, group(kWindowGroup),
          "Frames in a segment (default: --context-size; with more there are windows in each segment)");
  archive("segment_overlap", chain.segment_overlap, range(1, kMostFrames), group(kWindowGroup),
          "Frames in which one segment fades into the next");
  archive("color_match", chain.color_match, group(kWindowGroup),
          "Hold the colours and brightness of each segment to those of the reference");
}

void visit(fields::Archive& archive, AnimateRequest& request) {
  archive.size("size", request.width, request.height, fields::sides("width", "height"), range(16, 4096, "pixels"),
               kByModel, "Width x height of the video; the published models make multiples of 64");
  archive("framing", request.framing, fields::before("whole"));
  visit_but_size(archive, request);
}

void visit_but_size(fields::Archive& archive, AnimateRequest& request) {
  archive("reference", request.reference, fields::kRequired, fields::type("FILE"),
          "Picture of the person (JPEG, PNG, WebP, HEIC, AVIF, …)");
  archive("background", request.background, fields::type("COLOR"), kBackgroundHelp);
  archive("poses", request.poses,
          "Folder of pose pictures with ref_pose.jpg, poses.json, or poses of OpenPose or ComfyUI");
  archive("pose_order", request.pose_order, fields::before("published"));
  archive("frames", request.frames, range(1, kMostFrames), fields::none("all"), "Frames to make, or all");
  archive("frame_interval", request.frame_interval, range(1, kMostFrames), kByModel,
          fields::former_option("--interval"), "Take every so many-th pose");
  archive("preset", request.preset, fields::before("exact"), group(kSamplingGroup),
          "Less work for a video near the exact one: close, balanced, draft or sketch; other options win, see "
          "docs/speed.md");
  visit(archive, request.sampling);
  archive("seed", request.seed, "Start of the random numbers: the same seed gives the same video");
  archive("noise_prior", request.noise_prior, range(0, diffusion::kTimesteps - 1), kByModel, group(kSamplingGroup),
          "Timestep of the noise on the reference to start from");
  archive("noise_prior_order", request.noise_prior_order, group(kSamplingGroup),
          "Where the offset noise is added: short or long, as in the published programs");
  archive("guidance_scale", request.guidance_scale, range(0, 100), kByModel, fields::option("--guidance"),
          group(kSamplingGroup), "How strongly the conditions act; 1 halves the work");
  visit(archive, request.shortcuts);
  visit(archive, request.context);
  archive.section("chain", request.chain, group(kWindowGroup),
                  "Make the video in segments, each of which begins with the last frames of the one before");
  archive("conditions", request.conditions, fields::type("LIST"), group(kSamplingGroup),
          "List of image, local_image, randomref, dwpose; or reference, or first-frame");
  archive("decoder", request.decoder, fields::before("full"), group(kSamplingGroup), kDecoderHelp);
  archive("decode_batch", request.decode_batch, range(1, static_cast<double>(kLargestDecodeBatch)), group(kWindowGroup),
          "Frames decoded at once");
  archive("comparison", request.comparison, "Three columns: reference, pose, result");
}

}  // namespace unianimate::family
