#include "unianimate/cli/terminal_reporter.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "unianimate/cli/console.h"
#include "unianimate/core/error.h"
#include "unianimate/core/memory.h"
#include "unianimate/family/presets.h"

namespace unianimate::cli {

namespace {

constexpr std::chrono::milliseconds kBetweenRedraws{100};
constexpr std::chrono::seconds kBetweenLines{5};

std::size_t terminal_width() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string counted(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void print_row(const char* name, const std::string& value) {
  print(stdout, "  {:<12}{}\n", name, value);
}

/// What makes it another video than the exact one, and what is left to do.
void print_shortcuts(const PlannedVideo& video) {
  const std::vector<std::string> texts = video.job.request.shortcuts.texts();
  if (texts.empty()) return;
  print_row("left out", fmt::format("{}", fmt::join(texts, ", ")));
  print_row("passes",
            fmt::format("{}, the work of {:.1f} whole ones", video.plan.model_calls, video.plan.pass_equivalents));
}

/// Of what models compute; empty where nothing is counted.
std::string speed_text(double operations, double seconds) {
  constexpr double kTera = 1e12;
  return operations > 0 && seconds > 0 ? fmt::format("{:.3f}", operations / seconds / kTera) : "";
}

/// `frames`: that the models make.
std::string interpolation_text(const VideoJob& job, std::int64_t frames) {
  return fmt::format("{} times as many frames, {} with those guessed between, {:.6g} a second", job.interpolate,
                     frames * job.interpolate, job.shown_per_second());
}

void print_estimate(const PlannedVideo& video) {
  print_row(
      "time",
      fmt::format("about {}{}", format_duration(pipeline::total_seconds(video.phases)),
                  video.processes == 1 ? "" : " if one process did it all; the others take their share of sampling"));
  for (const pipeline::PhaseEstimate& phase : video.phases) {
    const std::string speed = speed_text(phase.operations, phase.seconds);
    print(stdout, "  {:<12}{:<18}{:>12}{}\n", "", pipeline::phase_name(phase.kind), format_duration(phase.seconds),
          speed.empty() ? "" : fmt::format("  {} TFLOP/s", speed));
  }
}

}  // namespace

TerminalReporter::TerminalReporter(bool quiet) : quiet_(quiet), on_terminal_(::isatty(STDERR_FILENO) != 0) {}

TerminalReporter::~TerminalReporter() {
  erase_line();
}

void TerminalReporter::note(const std::string& message) {
  if (quiet_) return;
  erase_line();
  print(stderr, "note: {}\n", printable(message, kMessageBytes));
}

void TerminalReporter::begin_video(const VideoJob& job, std::size_t index, std::size_t count) {
  if (quiet_ || count < 2) return;
  erase_line();
  print(stderr, "[{}/{}] {}\n", index + 1, count, printable(job.output.string()));
}

void TerminalReporter::planned(const PlannedVideo& video) {
  const family::AnimateRequest& request = video.job.request;
  const pipeline::AnimatePlan& plan = video.plan;
  print(stdout, "{}\n", printable(video.job.output.string()));
  print_row("picture", fmt::format("{}, {}x{}", printable(request.reference.string()), request.width, request.height));
  print_row("poses", fmt::format("{}, {} frames at an interval of {}", printable(request.poses.string()), plan.frames(),
                                 plan.selection.frame_interval));
  if (video.motion) {
    print_row("motion", fmt::format("{}, {} poses to be taken", printable(video.motion->request.motion.string()),
                                    video.motion->poses));
  }
  print_row("output", fmt::format("{}x{}, {} frames a second", plan.output_width, plan.output_height,
                                  video.job.frames_per_second));
  if (video.job.interpolate > 1) {
    print_row("between", interpolation_text(video.job, plan.frames()));
  }
  print_row("conditions", request.conditions.names(", "));
  print_row("steps", fmt::format("{} with {} window{} each, seed {}, guidance {}", plan.timesteps, plan.windows,
                                 plan.windows == 1 ? "" : "s", request.seed, request.guidance_scale));
  if (const std::string text = family::preset_text(request); !text.empty()) print_row("preset", text);
  print_row("sampler", fmt::format("{}, timesteps {}", request.sampling.sampler, request.sampling.timesteps.text()));
  print_shortcuts(video);
  if (request.decoder != family::DecoderChoice::kFull) print_row("decoder", std::string(fields::word(request.decoder)));
  print_row("computing", video.runtime.compute.reason);
  print_row("memory", fmt::format("about {}{}{}", format_bytes(plan.peak_bytes),
                                  plan.residency.all_models ? "" : ", models loaded one after another",
                                  plan.feature_bytes == 0
                                      ? ""
                                      : fmt::format(", {} of it reused features", format_bytes(plan.feature_bytes))));
  print_estimate(video);
  for (const std::string& note : plan.notes) print_row("note", printable(note, kMessageBytes));
}

void TerminalReporter::finished(const FinishedVideo& video) {
  erase_line();
  const std::string output = printable(video.job.output.string(), 4096);
  if (quiet_) {
    print(stdout, "{}\n", output);
  } else {
    print(stdout, "{:<20}{:>12}{:>14}{:>10}\n", "phase", "time", "peak memory", "TFLOP/s");
    for (const pipeline::Phase& phase : video.report.phases) {
      const std::string memory = phase.peak_bytes > 0 ? format_bytes(phase.peak_bytes) : "";
      print(stdout, "{:<20}{:>12}{:>14}{:>10}\n", phase.place.name(), format_duration(phase.seconds), memory,
            speed_text(phase.operations, phase.seconds));
    }
    const std::string preset = family::preset_text(video.job.request);
    if (!preset.empty()) print(stdout, "preset {}\n", preset);
    print(stdout, "{}: {} frames of {}x{} in {}\n", output, video.report.frames, video.report.width,
          video.report.height, format_duration(video.seconds));
    if (video.job.interpolate > 1) {
      print(stdout, "interpolated: {}\n", interpolation_text(video.job, video.report.frames));
    }
  }
}

void TerminalReporter::aligned(const AlignedMotion& motion) {
  erase_line();
  const std::string output = printable(motion.request.output.string(), kMessageBytes);
  if (quiet_) return print(stdout, "{}\n", output);
  const pose::PoseSequence& poses = motion.result.poses.motion;
  const auto count = static_cast<std::int64_t>(poses.frames.size());
  print(stdout, "{}: {} of {}x{}, {:.4g} a second; the person was found in {} of {}\n", output,
        counted(count, "pose picture"), poses.width, poses.height, poses.frames_per_second, motion.result.frames_found,
        counted(motion.result.frames_looked_at, "frame"));
  if (motion.result.detection_seconds > 0) {
    print(stdout, "found in {} ({:.0f} frames a second)\n", format_duration(motion.result.detection_seconds),
          static_cast<double>(motion.result.frames_looked_at) / motion.result.detection_seconds);
  }
  print(stdout, "to see whether they are right: {}\n",
        printable((motion.result.report_folder / "contact_sheet.png").string(), kMessageBytes));
}

void TerminalReporter::detected(const DetectedMotion& motion) {
  erase_line();
  const std::string output = printable((motion.request.output / "poses.json").string(), kMessageBytes);
  if (quiet_) return print(stdout, "{}\n", output);
  print(stdout, "{}: {} of {}x{}\n", output, counted(static_cast<std::int64_t>(motion.poses.frames.size()), "frame"),
        motion.poses.width, motion.poses.height);
  constexpr std::int64_t kShown = 10;
  const auto tracks = pose::count_tracks(motion.poses);
  for (const auto& [track, frames] : tracks) {
    if (track < kShown) print(stdout, "  person {:<4}in {}\n", track, counted(frames, "frame"));
  }
  const auto more = static_cast<std::int64_t>(tracks.size()) - kShown;
  if (more > 0) print(stdout, "  and {} who matter less\n", more);
}

void TerminalReporter::failed(const std::string& message, int /*exit_status*/) {
  erase_line();
  print(stderr, "unianimate: {}\n", printable(message, kMessageBytes));
}

void TerminalReporter::show_progress(bool phase_begins) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  const bool phase_ends = meter().total() > 0 && meter().done() == meter().total();
  if (on_terminal_) {
    if (!phase_begins && !phase_ends && now - last_shown_ < kBetweenRedraws) return;
    const std::string line = progress_line();
    print(stderr, "\r\x1b[2K{}", line.substr(0, terminal_width() - 1));
    line_shown_ = true;
  } else {
    if (!phase_begins && now - last_shown_ < kBetweenLines) return;
    print(stderr, "{}\n", progress_line());
  }
  last_shown_ = now;
}

std::string TerminalReporter::progress_line() const {
  std::string line = phase();
  if (meter().total() > 1) line += fmt::format(": {} of {}", meter().done(), meter().total());
  if (const auto each = meter().seconds_per_step()) {
    line += *each >= 1 ? fmt::format(", {:.1f} s a step", *each) : fmt::format(", {:.1f} steps a second", 1 / *each);
  }
  const auto left = meter().seconds_left(std::chrono::steady_clock::now());
  if (left && meter().done() < meter().total()) {
    line += fmt::format(", about {} left", format_duration(*left));
  }
  return line;
}

void TerminalReporter::erase_line() {
  if (line_shown_) print(stderr, "\r\x1b[2K");
  line_shown_ = false;
}

}  // namespace unianimate::cli
