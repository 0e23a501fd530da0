#include "unianimate/evaluation/model_evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/evaluation/result_video.h"
#include "unianimate/evaluation/sampling_progress.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/pipeline/animate.h"
#include "unianimate/plot/picture_sheet.h"

namespace unianimate::evaluation {

namespace {

constexpr std::uint64_t kMostPeople = 10'000;
/// Rows of results on a contact sheet, all people together, as far as one person does not have more.
constexpr std::size_t kShownRows = 8;
constexpr std::size_t kShownFrames = 8;

/// Keeps the frames: measuring them is not to count in the time of a video.
class FrameCollector final : public FrameSink {
 public:
  void write(const Image& frame) override { frames.push_back(frame); }
  void finish() override {}
  std::vector<Image> frames;
};

struct MadeVideo {
  std::vector<Image> frames;
  std::vector<at::Tensor> latents;  ///< clean ones, of each segment
};

/// See PersonQuality.
std::optional<double> latent_distance(const std::vector<at::Tensor>& made, const std::vector<at::Tensor>& other) {
  const auto same_shape = [](const at::Tensor& a, const at::Tensor& b) { return a.sizes() == b.sizes(); };
  if (!std::ranges::equal(made, other, same_shape)) return std::nullopt;
  const auto energy = [](const at::Tensor& latents) { return latents.to(at::kDouble).square().sum().item<double>(); };
  double difference = 0;
  double whole = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    difference += energy(made[i] - other[i]);
    whole += energy(other[i]);
  }
  if (whole == 0) return std::nullopt;
  return std::sqrt(difference / whole);
}

bool uses(const ModelEvaluationRequest& request, bool first_frame) {
  return std::ranges::count(request.settings, first_frame, &Setting::starts_from_first_frame) > 0;
}

/// In `frames` frames; what the settings make of them is still missing.
ShownPerson show(const ModelEvaluationRequest& request, const PersonInputs& person, std::size_t frames) {
  const puppet::Clip& clip = person.clip();
  const std::vector<std::size_t> chosen = plot::evenly_spread(static_cast<std::size_t>(clip.options().frames), frames);
  ShownPerson shown{clip.options().seed, {chosen.begin(), chosen.end()}, {}, {}, {}, {}};
  const family::PoseFolder poses = family::open_pose_folder(person.requests().front().poses);
  for (const std::int64_t frame : shown.frames) {
    const Image pose = read_image(poses.poses[static_cast<std::size_t>(frame)]);
    shown.poses.push_back(resize_bilinear(pose, clip.options().width, clip.options().height));
    shown.truth.push_back(clip.frame(frame));
  }
  for (const Setting& setting : request.settings) {
    shown.references.push_back(setting.starts_from_first_frame() ? clip.frame(0) : clip.reference());
  }
  return shown;
}

/// `person` in all frames.
void write_video(const ModelEvaluationRequest& request, const ShownPerson& person, std::size_t setting,
                 const std::vector<Image>& result, Progress& progress) {
  const std::string number = request.settings.size() > 1 ? fmt::format("-{}", setting + 1) : "";
  const std::filesystem::path wanted = request.videos / fmt::format("person-{}{}.mp4", person.seed, number);
  write_result_video(request.open_video, own_place(wanted, kMark, {}, progress),
                     {person.references[setting], person.poses, result, person.truth}, request.clip.frames_per_second);
}

/// `made(i)` is frame i as it was made, `wanted(i)` as it should be.
template <typename MadeFrame, typename WantedFrame>
PersonQuality measure(const puppet::Clip& clip, std::int64_t first_frame, const MadeFrame& made,
                      const WantedFrame& wanted) {
  QualityMeter meter;
  for (std::int64_t i = first_frame; i < clip.options().frames; ++i) {
    meter.add(made(i), wanted(i), clip.figure_mask(i));
  }
  return {clip.options().seed, meter.quality(), 0};
}

template <typename MadeFrame>
PersonQuality measure(const puppet::Clip& clip, std::int64_t first_frame, const MadeFrame& made) {
  return measure(clip, first_frame, made, [&](std::int64_t frame) { return clip.frame(frame); });
}

Quality mean_over(const std::vector<PersonQuality>& people) {
  std::vector<Quality> videos(people.size());
  std::ranges::transform(people, videos.begin(), &PersonQuality::quality);
  return mean_of(videos);
}

double median_seconds(const std::vector<PersonQuality>& people) {
  std::vector<double> seconds(people.size());
  std::ranges::transform(people, seconds.begin(), &PersonQuality::seconds);
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::ranges::nth_element(seconds, middle);
  return *middle;
}

template <typename MakeRow>
QualityRow baseline(const ModelEvaluationRequest& request, std::string name, const MakeRow& measure_person) {
  QualityRow row{std::move(name), {}, {}};
  for (std::uint64_t i = 0; i < request.people.count(); ++i) {
    row.people.push_back(measure_person(request.clip_of(request.people.first + i)));
  }
  row.mean = mean_over(row.people);
  return row;
}

std::vector<QualityRow> repeated_references(const ModelEvaluationRequest& request) {
  std::vector<QualityRow> rows;
  if (uses(request, false)) {
    rows.push_back(baseline(request, "repeat the reference picture", [](const puppet::Clip& clip) {
      const Image reference = clip.reference();
      return measure(clip, 0, [&](std::int64_t) -> const Image& { return reference; });
    }));
  }
  if (uses(request, true) && request.clip.frames > 1) {
    // In that frame itself it cannot err.
    rows.push_back(baseline(request, "repeat the first frame, in all others", [](const puppet::Clip& clip) {
      const Image first = clip.frame(0);
      return measure(clip, 1, [&](std::int64_t) -> const Image& { return first; });
    }));
  }
  return rows;
}

QualityRow reconstructed_truth(const ModelEvaluationRequest& request, family::Family& family, Progress& progress) {
  progress.begin_phase("reconstruct truth", static_cast<std::int64_t>(request.people.count()));
  std::int64_t done = 0;
  return baseline(request, "the autoencoder's reconstruction of the truth", [&](const puppet::Clip& clip) {
    const PersonQuality person = measure(clip, 0, [&](std::int64_t frame) {
      progress.throw_if_cancelled();
      return family.reconstruct(clip.frame(frame), progress);
    });
    progress.step(++done);
    return person;
  });
}

/// Adds one video to the row, where the seconds of the UNet are summed up for now.
void add_video(SettingRow& row, const pipeline::AnimateReport& report, PersonQuality person) {
  for (const pipeline::Phase& phase : report.phases) {
    person.seconds += phase.seconds;
    if (phase.place.kind == pipeline::PhaseKind::kSample) row.seconds_per_unet_call += phase.seconds;
  }
  row.unet_calls = report.model_calls;
  row.pass_equivalents = report.pass_equivalents;
  row.row.people.push_back(person);
}

void finish(SettingRow& row) {
  row.row.mean = mean_over(row.row.people);
  row.against.mean = mean_over(row.against.people);
  row.seconds_per_video = median_seconds(row.row.people);
  row.seconds_per_unet_call /= static_cast<double>(row.unet_calls) * static_cast<double>(row.row.people.size());
}

/// Makes videos and adds what they measure to the rows of an evaluation.
class VideoMaker {
 public:
  /// All must outlive this.
  VideoMaker(Families families, SamplingProgress& progress, ModelEvaluation& evaluation)
      : families_(families), progress_(progress), evaluation_(evaluation) {
    for (const family::Family* family : families) planners_.emplace_back(*family);
  }

  /// One person's, with every setting. `shown`: they are kept to be looked at.
  void make(const PersonInputs& person, bool shown) {
    const ModelEvaluationRequest& request = evaluation_.request;
    const auto all_frames = static_cast<std::size_t>(request.clip.frames);
    if (shown) evaluation_.shown.push_back(show(request, person, std::min(all_frames, kShownFrames)));
    std::optional<ShownPerson> in_video;
    if (!request.videos.empty()) in_video = show(request, person, all_frames);
    std::vector<MadeVideo> videos(request.settings.size());
    for (std::size_t s = 0; s < request.settings.size(); ++s) {
      videos[s] = make_video(person, s, videos);
      if (in_video) write_video(request, *in_video, s, videos[s].frames, progress_);
      if (shown) {
        std::vector<Image>& pictures = evaluation_.shown.back().results.emplace_back();
        for (const std::int64_t frame : evaluation_.shown.back().frames) {
          pictures.push_back(videos[s].frames[static_cast<std::size_t>(frame)]);
        }
      }
      const std::optional<std::size_t> itself = s;
      if (std::ranges::count(request.settings, itself, &Setting::compared_with) == 0) videos[s] = {};
    }
  }

 private:
  /// `before`: those of the settings before.
  MadeVideo make_video(const PersonInputs& person, std::size_t setting, const std::vector<MadeVideo>& before) {
    FrameCollector sink;
    MadeVideo video;
    pipeline::AnimateOptions options = progress_.options();
    options.latents_made = [&](const at::Tensor& latents) { video.latents.push_back(latents.clone()); };
    const std::size_t models = evaluation_.request.settings[setting].models;
    const pipeline::AnimateReport report = pipeline::animate(
        *families_[models], planners_[models].plan(person.requests()[setting]), sink, progress_, options);
    video.frames = std::move(sink.frames);
    const auto frame_of = [](const std::vector<Image>& frames) {
      return [&frames](std::int64_t frame) -> const Image& { return frames[static_cast<std::size_t>(frame)]; };
    };
    SettingRow& row = evaluation_.rows[setting];
    add_video(row, report, measure(person.clip(), 0, frame_of(video.frames)));
    if (const auto other = evaluation_.request.settings[setting].compared_with) {
      PersonQuality against = measure(person.clip(), 0, frame_of(video.frames), frame_of(before[*other].frames));
      against.latent_distance = latent_distance(video.latents, before[*other].latents);
      row.against.people.push_back(against);
    }
    return video;
  }

  Families families_;
  std::vector<pipeline::AnimationPlanner> planners_;
  SamplingProgress& progress_;
  ModelEvaluation& evaluation_;
};

}  // namespace

std::optional<double> QualityRow::latent_distance() const {
  double sum = 0;
  double known = 0;
  for (const PersonQuality& person : people) {
    if (!person.latent_distance) continue;
    sum += *person.latent_distance;
    ++known;
  }
  if (known == 0) return std::nullopt;
  return sum / known;
}

puppet::Clip ModelEvaluationRequest::clip_of(std::uint64_t seed) const {
  puppet::ClipOptions options = clip;
  options.seed = seed;
  return puppet::Clip(options);
}

void ModelEvaluationRequest::check() const {
  if (people.first > people.last) {
    throw Error(ErrorKind::kUsage, "the people {}-{} run backwards; give the lowest seed first", people.first,
                people.last);
  }
  if (people.last - people.first >= kMostPeople) {
    throw Error(ErrorKind::kUsage, "the people {}-{} are more than the {} that can be measured at once", people.first,
                people.last, kMostPeople);
  }
  if (settings.empty() || settings.size() > kMostSettings) {
    throw Error(ErrorKind::kUsage, "there must be 1 to {} settings to measure, found {}", kMostSettings,
                settings.size());
  }
  clip.check();
  for (const Setting& setting : settings) fill_in(setting).check();
}

family::AnimateRequest ModelEvaluationRequest::fill_in(const Setting& setting) const {
  family::AnimateRequest request = setting.request;
  request.width = clip.width;
  request.height = clip.height;
  request.frames = clip.frames;
  request.frame_interval = 1;
  return request;
}

PersonInputs::PersonInputs(const ModelEvaluationRequest& request, std::uint64_t seed, Progress& progress)
    : clip_(request.clip_of(seed)) {
  for (const Setting& setting : request.settings) {
    const bool from_first_frame = setting.starts_from_first_frame();
    family::AnimateRequest& filled = requests_.emplace_back(request.fill_in(setting));
    write_person_inputs(clip_, from_first_frame, folder_.path() / (from_first_frame ? "first-frame" : "reference"),
                        filled, progress);
  }
}

std::vector<pipeline::AnimatePlan> plan_evaluation(const ModelEvaluationRequest& request, Families families) {
  request.check();
  std::vector<pipeline::AnimationPlanner> planners;
  for (const family::Family* family : families) {
    pipeline::check_size(request.clip.width, request.clip.height, family->geometry());
    planners.emplace_back(*family);
  }
  std::vector<pipeline::AnimatePlan> plans;
  for (const Setting& setting : request.settings) {
    plans.push_back(planners[setting.models].plan_for_poses(request.fill_in(setting), request.clip.frames));
  }
  return plans;
}

ModelEvaluation evaluate_model(const ModelEvaluationRequest& request, Families families, Progress& progress) {
  const std::vector<pipeline::AnimatePlan> plans = plan_evaluation(request, families);
  const std::int64_t calls_per_person =
      std::transform_reduce(plans.begin(), plans.end(), std::int64_t{0}, std::plus<>(),
                            [](const pipeline::AnimatePlan& plan) { return plan.model_calls; });

  ModelEvaluation evaluation{request, families.front()->runtime().compute, {}, {}, {}};
  for (const Setting& setting : request.settings) {
    const std::string compared =
        setting.compared_with ? name_among(request.settings[*setting.compared_with], request.settings) : "";
    evaluation.rows.push_back({{name_among(setting, request.settings), {}, {}}, 0, 0, 0, 0, {compared, {}, {}}});
  }

  // 1. the videos
  const std::uint64_t shown_people = std::max<std::uint64_t>(1, kShownRows / request.settings.size());
  SamplingProgress whole(progress, calls_per_person * static_cast<std::int64_t>(request.people.count()));
  VideoMaker maker(families, whole, evaluation);
  for (std::uint64_t i = 0; i < request.people.count(); ++i) {
    maker.make(PersonInputs(request, request.people.first + i, whole), i < shown_people);
  }
  for (SettingRow& row : evaluation.rows) finish(row);

  // 2. what to compare them with
  evaluation.baselines = repeated_references(request);
  if (request.reconstruction) {
    evaluation.baselines.push_back(reconstructed_truth(request, *families.front(), progress));
  }
  return evaluation;
}

}  // namespace unianimate::evaluation
