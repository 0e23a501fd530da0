#include "unianimate/evaluation/long_video_evaluation.h"

#include <array>
#include <chrono>
#include <functional>
#include <numeric>

#include "unianimate/evaluation/sampling_progress.h"
#include "unianimate/pipeline/animate.h"

namespace unianimate::evaluation {

namespace {

/// Compares with the frames of a clip, which are drawn one at a time.
class ComparingSink final : public FrameSink {
 public:
  ComparingSink(const puppet::Clip& clip, LongVideoMeter meter) : clip_(clip), meter_(std::move(meter)) {}

  void write(const Image& frame) override {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t index = meter_.frames();
    meter_.add(frame, clip_.frame(index), clip_.figure_mask(index));
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  void finish() override {}

  [[nodiscard]] LongVideoMeasures measures() const { return meter_.measures(); }
  /// What comparing took.
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  const puppet::Clip& clip_;
  LongVideoMeter meter_;
  double seconds_ = 0;
};

double seconds_of(const pipeline::AnimateReport& report) {
  return std::transform_reduce(report.phases.begin(), report.phases.end(), 0.0, std::plus<>(),
                               [](const pipeline::Phase& phase) { return phase.seconds; });
}

void finish(LongVideoRow& row) {
  std::vector<LongVideoMeasures> measures;
  for (const LongVideo& video : row.people) {
    measures.push_back(video.measures);
    row.seconds_per_video += video.seconds / static_cast<double>(row.people.size());
  }
  row.mean = mean_of(measures);
}

}  // namespace

LongVideoEvaluation evaluate_long_videos(const LongVideoRequest& request, family::Family& family, Progress& progress) {
  const ModelEvaluationRequest& videos = request.videos;
  std::int64_t calls_per_person = 0;
  const std::array families{&family};
  for (const pipeline::AnimatePlan& plan : plan_evaluation(videos, families)) {
    calls_per_person += plan.model_calls;
  }

  LongVideoEvaluation evaluation{request, family.runtime().compute, std::vector<LongVideoRow>(videos.settings.size())};
  const pipeline::AnimationPlanner planner(family);
  SamplingProgress whole(progress, calls_per_person * static_cast<std::int64_t>(videos.people.count()));
  for (std::uint64_t i = 0; i < videos.people.count(); ++i) {
    const PersonInputs person(videos, videos.people.first + i, whole);
    for (std::size_t s = 0; s < videos.settings.size(); ++s) {
      const family::AnimateRequest& filled = person.requests()[s];
      ComparingSink sink(person.clip(), {final_windows(videos.clip.frames, filled), (filled.context.size + 1) / 2});
      const pipeline::AnimateReport report =
          pipeline::animate(family, planner.plan(filled), sink, whole, whole.options());
      LongVideoRow& row = evaluation.rows[s];
      row.unet_calls = report.model_calls;
      row.people.push_back({person.clip().options().seed, sink.measures(), seconds_of(report) - sink.seconds()});
    }
  }
  for (LongVideoRow& row : evaluation.rows) finish(row);
  return evaluation;
}

}  // namespace unianimate::evaluation
