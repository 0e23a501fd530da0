#include "unianimate/pipeline/animate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "unianimate/core/consumer.h"
#include "unianimate/core/error.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/pipeline/color_match.h"
#include "unianimate/pipeline/comparison_sink.h"
#include "unianimate/pipeline/phase_log.h"
#include "unianimate/pipeline/segment_run.h"
#include "unianimate/pipeline/segments.h"

namespace unianimate::pipeline {

namespace {

/// Latents that are decoded between two looks at the store.
constexpr std::int64_t kLatentsInPart = 16;

/// Decoded frames of a segment, from number `first` on.
struct DecodedPart {
  std::int64_t first = 0;
  std::vector<Image> pictures;
};

AnimateReport begin_report(const AnimatePlan& plan) {
  AnimateReport report;
  report.frames = plan.frames();
  report.width = plan.output_width;
  report.height = plan.output_height;
  report.model_calls = plan.model_calls;
  report.pass_equivalents = plan.pass_equivalents;
  report.notes = plan.notes;
  return report;
}

/// One call of animate().
class Production {
 public:
  Production(family::Family& family, const AnimatePlan& plan, const AnimateOptions& options, Progress& progress)
      : family_(family),
        plan_(plan),
        options_(options),
        progress_(progress),
        own_group_(distributed::ProcessGroup::of_one()),
        group_(options.group != nullptr ? *options.group : *own_group_),
        store_(group_.rank() == 0 ? options.job : nullptr),
        segments_(video_segments(plan.frames(), plan.request)) {}

  AnimateReport make(FrameSink& sink);

 private:
  void read_reference(PhaseLog& phases);
  family::Reference& reference(PhaseLog& phases);
  void make_segment(const VideoRun& run, std::size_t index);
  void hand_on(const SegmentPlace& place, std::int64_t done);
  void decode(const VideoRun& run, const SegmentPlace& place, const at::Tensor& latents, std::int64_t done);
  void take(const SegmentPlace& place, const DecodedPart& part);
  void write_video(PhaseLog& phases);

  [[nodiscard]] const family::AnimateRequest& request() const { return plan_.request; }
  [[nodiscard]] std::int64_t overlap() const { return request().chain ? request().chain->segment_overlap : 0; }
  /// The frame of a segment that the next one begins with.
  [[nodiscard]] std::int64_t handed_on(const SegmentPlace& place) const { return place.segment.size - overlap(); }

  family::Family& family_;
  const AnimatePlan& plan_;
  const AnimateOptions& options_;
  Progress& progress_;
  std::unique_ptr<distributed::ProcessGroup> own_group_;
  distributed::ProcessGroup& group_;
  SegmentStore* store_;
  std::vector<Segment> segments_;
  Image original_;  ///< what shows of the reference, as large as it is, until the models have seen it
  Image picture_;   ///< the reference in the size of the video
  std::optional<family::PosePictures> poses_;
  std::unique_ptr<family::Reference> reference_;
  std::optional<ComparisonSink> comparison_;
  std::optional<SegmentJoiner> joiner_;
  Image first_frame_;  ///< what the next segment begins with; of the first one the reference
};

AnimateReport Production::make(FrameSink& sink) {
  AnimateReport report = begin_report(plan_);
  for (const std::string& note : plan_.notes) progress_.note(note);
  {
    PhaseLog phases(report.phases, options_.phase_begins, progress_);
    read_reference(phases);
    FrameSink* frames = &sink;
    if (request().comparison) frames = &comparison_.emplace(sink, picture_, *poses_);
    joiner_.emplace(*frames, overlap());
    const VideoRun run{family_,   plan_,   options_,
                       group_,    store_,  phases,
                       progress_, *poses_, [&]() -> family::Reference& { return reference(phases); }};
    for (std::size_t index = 0; index < segments_.size(); ++index) make_segment(run, index);
    if (group_.rank() == 0) {
      if (store_ != nullptr) write_video(phases);
      sink.finish();
    }
  }
  return report;
}

void Production::read_reference(PhaseLog& phases) {
  phases.begin({PhaseKind::kReadPictures}, plan_.frames());
  original_ = framed(unianimate::read_reference(request().reference, request().background).image, request().framing,
                     Border::kEdge);
  picture_ = resize_bilinear(original_, request().width, request().height);
  first_frame_ = picture_;
  poses_.emplace(plan_.pose_folder, plan_.selection.indices, request().framing,
                 PictureSize{request().width, request().height}, progress_);
}

/// A video that is only to be decoded does without.
family::Reference& Production::reference(PhaseLog& phases) {
  if (!reference_) {
    phases.begin({PhaseKind::kEncodeReference}, 0, family_.encode_operations(request()));
    reference_ = family_.encode({original_, picture_}, request(), plan_.residency, progress_);
    original_ = {};
  }
  return *reference_;
}

void Production::make_segment(const VideoRun& run, std::size_t index) {
  const SegmentPlace place{segments_[index], index, segments_.size()};
  const std::int64_t size = place.segment.size;
  const std::int64_t done = store_ != nullptr ? store_->finished_frames(index, progress_) : 0;
  if (done > size) {
    throw Error(ErrorKind::kInput, "the job holds {} frames of a segment of {}; delete it and begin anew", done, size);
  }
  const at::Tensor finished = at::tensor({done == size ? 1 : 0}, at::kLong);
  group_.broadcast({finished});
  if (finished.item<std::int64_t>() == 0) {
    const std::unique_ptr<ClipTensor> latents = sample_segment(run, place, first_frame_);
    if (run.is_first_process()) {
      if (options_.latents_made) options_.latents_made(latents->tensor());
      decode(run, place, latents->tensor(), done);
    }
  }
  if (!place.is_last()) hand_on(place, done);
}

/// Every process gets the frame that the next segment begins with.
void Production::hand_on(const SegmentPlace& place, std::int64_t done) {
  if (store_ != nullptr && done > handed_on(place)) {
    std::int64_t frame = 0;
    store_->read_frames(place.index, [&](const Image& image) {
      if (frame++ == handed_on(place)) first_frame_ = image;
    });
  }
  const at::Tensor bytes = family::tensor_from_image(first_frame_);
  group_.broadcast({bytes});
  first_frame_ = family::image_from_tensor(bytes);
}

void Production::decode(const VideoRun& run, const SegmentPlace& place, const at::Tensor& latents, std::int64_t done) {
  const std::int64_t size = place.segment.size;
  const family::ClipGeometry& geometry = family_.geometry();
  const std::int64_t first_latent = geometry.latents_decode_alone && done > 0 ? geometry.latents_of(done) : 0;
  const family::ClipShape to_decode{latents.size(2) - first_latent, latents.size(3), latents.size(4)};
  run.phases.begin(place.phase(PhaseKind::kDecode), size, family_.decoding_operations(to_decode, request().decoder));
  const bool match = request().chain && request().chain->color_match;
  // A segment is matched as a whole.
  const std::int64_t at_once = match ? latents.size(2) : kLatentsInPart;
  if (store_ == nullptr) joiner_->begin(size, place.is_last());
  // One part is written while the next one is decoded.
  Consumer<DecodedPart> writing(1, [&](const DecodedPart& part) {
    const c10::InferenceMode inference;
    take(place, part);
  });
  const auto decoder = family_.decoder(request().decoder, request().decode_batch, plan_.residency, progress_);
  for (std::int64_t latent = first_latent; latent < latents.size(2);) {
    if (!place.is_last()) group_.require_all();
    const std::int64_t count = std::min(at_once, latents.size(2) - latent);
    std::vector<Image> pictures = decoder->next(latents.narrow(2, latent, count));
    std::int64_t first = geometry.frames_of(latent);
    latent += count;
    // The last latent may stand for more frames than there are, and decoding may have begun before what is missing.
    if (first + static_cast<std::int64_t>(pictures.size()) > size)
      pictures.resize(static_cast<std::size_t>(size - first));
    const std::int64_t known = std::clamp<std::int64_t>(done - first, 0, static_cast<std::int64_t>(pictures.size()));
    pictures.erase(pictures.begin(), pictures.begin() + known);
    first += known;
    if (pictures.empty()) continue;
    if (match) match_colors(pictures, picture_);
    const std::int64_t decoded = first + static_cast<std::int64_t>(pictures.size());
    writing.give({first, std::move(pictures)});
    progress_.step(decoded);
  }
  writing.finish();
}

void Production::take(const SegmentPlace& place, const DecodedPart& part) {
  const std::int64_t place_of_next = handed_on(place) - part.first;
  if (0 <= place_of_next && place_of_next < static_cast<std::int64_t>(part.pictures.size())) {
    first_frame_ = part.pictures[static_cast<std::size_t>(place_of_next)];
  }
  if (store_ != nullptr) {
    store_->add_frames(place.index, part.pictures);
  } else {
    for (const Image& picture : part.pictures) joiner_->write(picture);
  }
}

void Production::write_video(PhaseLog& phases) {
  phases.begin({PhaseKind::kWriteVideo}, plan_.frames());
  std::int64_t written = 0;
  for (std::size_t index = 0; index < segments_.size(); ++index) {
    joiner_->begin(segments_[index].size, index + 1 == segments_.size());
    store_->read_frames(index, [&](const Image& frame) {
      progress_.throw_if_cancelled();
      joiner_->write(frame);
      progress_.step(std::min(++written, plan_.frames()));
    });
  }
}

}  // namespace

AnimateReport animate(family::Family& family, const AnimatePlan& plan, FrameSink& sink, Progress& progress,
                      const AnimateOptions& options) {
  const c10::InferenceMode inference;
  if (plan.request.context.carry_state && options.group != nullptr && options.group->size() > 1) {
    throw Error(
        ErrorKind::kUsage,
        "carry_state lets each window wait for the one before, which {} processes cannot share; run one process, "
        "or leave it out",
        options.group->size());
  }
  return Production(family, plan, options, progress).make(sink);
}

AnimateReport animate(family::Family& family, const family::AnimateRequest& request, FrameSink& sink,
                      Progress& progress, const AnimateOptions& options) {
  return animate(family, plan_animation(request, family, options.preview), sink, progress, options);
}

}  // namespace unianimate::pipeline
