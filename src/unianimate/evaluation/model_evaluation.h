// What a model makes of procedural people, of whom every true frame is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/core/scratch_folder.h"
#include "unianimate/evaluation/person_inputs.h"
#include "unianimate/evaluation/quality.h"
#include "unianimate/evaluation/setting.h"
#include "unianimate/family/family.h"
#include "unianimate/media/pictures/frame_sink.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/puppet/clip.h"

namespace unianimate::evaluation {

/// Seeds of procedural people, both ends included.
struct PeopleRange {
  std::uint64_t first = 900'000;
  std::uint64_t last = 900'031;

  [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
};

constexpr std::size_t kMostSettings = 200;

struct ModelEvaluationRequest {
  PeopleRange people;
  puppet::ClipOptions clip{.seed = 0, .width = 96, .height = 128, .frames = 8, .frames_per_second = 8};
  std::vector<Setting> settings;
  bool reconstruction = false;  ///< also measure what the autoencoder alone loses
  /// Where person-SEED.mp4 of everyone is written (with several settings person-SEED-N.mp4), see result_video.h; none
  /// where empty.
  std::filesystem::path videos;
  OpenFrameSink open_video;  ///< what writes them; needed where `videos` is not empty

  /// The setting's request with the size and length of the clips; reference and poses are still missing.
  [[nodiscard]] family::AnimateRequest fill_in(const Setting& setting) const;
  [[nodiscard]] puppet::Clip clip_of(std::uint64_t seed) const;
  /// Throws Error(kUsage) naming the field; no more than 10 000 people and kMostSettings. Does not look at models.
  void check() const;
};

/// One person's files, in a temporary folder, and the requests of all settings for them.
class PersonInputs {
 public:
  /// Throws as ScratchFolder() and write_person_inputs() do.
  PersonInputs(const ModelEvaluationRequest& request, std::uint64_t seed, Progress& progress);

  [[nodiscard]] const puppet::Clip& clip() const { return clip_; }
  [[nodiscard]] const std::vector<family::AnimateRequest>& requests() const { return requests_; }

 private:
  puppet::Clip clip_;
  ScratchFolder folder_;
  std::vector<family::AnimateRequest> requests_;
};

struct PersonQuality {
  std::uint64_t seed = 0;
  Quality quality;
  double seconds = 0;  ///< for the whole video
  /// Where it is measured against another video: ‖x − y‖ / ‖y‖ of the clean latents x of the video and y of the other,
  /// all segments together. Nothing where they have other shapes.
  std::optional<double> latent_distance = {};
};

/// One row of the table.
struct QualityRow {
  std::string name;
  std::vector<PersonQuality> people;
  Quality mean;

  /// The mean over those people who have one.
  [[nodiscard]] std::optional<double> latent_distance() const;
};

/// The row of a setting.
struct SettingRow {
  QualityRow row;
  double seconds_per_video = 0;  ///< the median, so that loading the models does not count
  double seconds_per_unet_call = 0;
  std::int64_t unet_calls = 0;  ///< for each video
  double pass_equivalents = 0;  ///< the work of so many whole ones
  /// How near its videos are to those of the setting that it is compared with; nobody where there is none.
  QualityRow against = {};
};

/// A person to look at, with frames spread evenly over the video.
struct ShownPerson {
  std::uint64_t seed = 0;
  std::vector<std::int64_t> frames;  ///< their indices
  std::vector<Image> poses;          ///< pose pictures of the frames, of the video's size
  std::vector<Image> truth;
  std::vector<Image> references;            ///< what each setting was given
  std::vector<std::vector<Image>> results;  ///< what each setting made
};

struct ModelEvaluation {
  ModelEvaluationRequest request;
  Compute compute;
  std::vector<SettingRow> rows;       ///< one for each setting
  std::vector<QualityRow> baselines;  ///< to be beaten, and what the autoencoder allows
  std::vector<ShownPerson> shown;
};

/// The models by their numbers (Setting::models): at least one, and all that settings name. Those of number 0
/// reconstruct the truth.
using Families = std::span<family::Family* const>;

/// What one person's video takes with each setting; looks at no person. Throws as evaluate_model() does.
std::vector<pipeline::AnimatePlan> plan_evaluation(const ModelEvaluationRequest& request, Families families);

/// Makes every person's video with every setting, each from a reference picture and a pose folder as `unianimate
/// puppet` writes them (for as long as they are needed, in a temporary folder), and compares it with the true frames
/// and with what another setting made, whose latents began alike where seed and noise prior are the same. Everything is
/// checked before the first video. Phases: "animate people", whose steps are calls of the UNet, and "reconstruct
/// truth". Throws Error of every kind.
ModelEvaluation evaluate_model(const ModelEvaluationRequest& request, Families families, Progress& progress);

}  // namespace unianimate::evaluation
