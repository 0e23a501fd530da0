// unianimate evaluate videos: how far videos are from what they should be.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/interruption.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/reporter.h"
#include "unianimate/core/error.h"
#include "unianimate/evaluation/video_scores.h"
#include "unianimate/media/film/open_frame_source.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

struct VideosArguments {
  std::string first;
  std::string second;
  std::string weights;
  int clip_stride = evaluation::PerceptualMeter::kClipFrames;
  bool json = false;
  bool quiet = false;
};

constexpr const char* kVideosExamples = R"(Examples:
  unianimate evaluate videos out.mp4 truth.mp4
  unianimate evaluate videos frames/ truth.mkv --json
  unianimate evaluate videos results/ truth/ --metric-weights weights

Takes videos, GIFs and folders of pictures of one size, or two folders of such, in which those of one name belong
together, and compares them frame by frame. PSNR is in dB (means over the frames; equal frames count as 100), SSIM has the
11-tap Gaussian window, L1 is the mean absolute error, consistency that of the changes from frame to frame. LPIPS, FID and
FVD need published weights, which are not part of this program: docs/evaluation.md says which files. All are computed on
what the files hold, so that lossy videos differ by their coding, too.)";

/// Tells what is to be said of a source when it is read no further.
class ToldSource final : public FrameSource {
 public:
  ToldSource(std::unique_ptr<FrameSource> source, Reporter& reporter)
      : source_(std::move(source)), reporter_(reporter) {
    for (const std::string& note : source_->info().notes) reporter_.note(note);
  }
  ~ToldSource() override {
    if (!source_->trouble().empty()) reporter_.note(source_->trouble());
  }
  ToldSource(const ToldSource&) = delete;
  ToldSource& operator=(const ToldSource&) = delete;

  [[nodiscard]] const FrameSourceInfo& info() const override { return source_->info(); }
  std::optional<TimedFrame> next() override { return source_->next(); }
  [[nodiscard]] std::string trouble() const override { return source_->trouble(); }

 private:
  std::unique_ptr<FrameSource> source_;
  Reporter& reporter_;
};

/// Those of two folders, or the two that were given.
std::vector<evaluation::VideoPair> pairs_of(const VideosArguments& arguments, Reporter& reporter) {
  const bool many = evaluation::holds_videos(arguments.first);
  if (many != evaluation::holds_videos(arguments.second)) {
    throw Error(ErrorKind::kUsage, "{} is a folder of videos and {} is none; give two folders, or two videos",
                printable(many ? arguments.first : arguments.second),
                printable(many ? arguments.second : arguments.first));
  }
  if (!many) return {{fs::path(arguments.first).stem().string(), arguments.first, arguments.second}};
  evaluation::VideoPairs found = evaluation::pair_videos(arguments.first, arguments.second);
  for (const std::string& path : found.unpaired) {
    reporter.note(fmt::format("{} is left out: the other folder has none of its name", path));
  }
  return found.pairs;
}

void evaluate_videos(const VideosArguments& arguments, Session& session) {
  // With --json stdout has the result or the error alone, and progress goes where people read.
  std::unique_ptr<Reporter> beside;
  (arguments.json ? beside : session.reporter) = make_reporter(false, arguments.quiet);
  catch_interruptions();
  Reporter& reporter = arguments.json ? *beside : *session.reporter;
  const std::vector<evaluation::VideoPair> pairs = pairs_of(arguments, reporter);
  const evaluation::MetricNetworks networks = evaluation::load_metric_networks(arguments.weights);
  const evaluation::VideoScores scores = evaluation::score_videos(
      pairs, networks,
      [&](const fs::path& path) { return std::make_unique<ToldSource>(open_frame_source(path), reporter); }, reporter,
      arguments.clip_stride);
  if (arguments.json) return print_json_line(evaluation::scores_json(scores));
  print(stdout, "{}", evaluation::scores_markdown(scores));
}

}  // namespace

CommandWork add_evaluate_videos_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<VideosArguments>();
  command.add_option("first", arguments->first, "Video, animation, folder of pictures, or folder of such")
      ->type_name("PATH")
      ->required();
  command.add_option("second", arguments->second, "What to measure against")->type_name("PATH")->required();
  command
      .add_option("--metric-weights", arguments->weights,
                  "Folder with the published weights of LPIPS, FID and FVD, as far as it has them")
      ->type_name("DIR");
  command
      .add_option("--clip-stride", arguments->clip_stride,
                  "Frames from the beginning of a clip of FVD to that of the next, 1 to 16")
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--json", arguments->json, "One JSON object");
  command.add_flag("--quiet", arguments->quiet, "No progress and no notes");
  command.footer(kVideosExamples);
  return {[arguments, &session] { evaluate_videos(*arguments, session); }};
}

}  // namespace unianimate::cli
