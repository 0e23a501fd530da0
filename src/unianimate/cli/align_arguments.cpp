#include "unianimate/cli/align_arguments.h"

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cmath>

#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/unused_options.h"
#include "unianimate/core/error.h"

namespace unianimate::cli {

namespace {

double parse_seconds(std::string_view text) {
  double seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem == std::errc() && end == text.data() + text.size() && std::isfinite(seconds)) return seconds;
  throw Error(ErrorKind::kUsage, "--end expects seconds such as 4.5, found '{}'", printable(text));
}

}  // namespace

void add_align_options(CLI::App& command, AlignArguments& arguments) {
  arguments.command = &command;
  studio::AlignRequest& rest = arguments.rest;
  const std::string motion = "Motion";
  command
      .add_option("--person", arguments.person,
                  "Who of the motion: main, largest, center, left, right, a number, or x,y in pixels")
      ->capture_default_str()
      ->type_name("WHO")
      ->group(motion);
  command.add_option("--start", rest.start_seconds, "Begin at this second of the motion")
      ->capture_default_str()
      ->type_name("S")
      ->group(motion);
  command.add_option("--end", arguments.end, "End at this second of the motion")->type_name("S")->group(motion);
  command.add_option("--speed", rest.speed, "Play the motion faster or slower: 0.5 is slow motion")
      ->capture_default_str()
      ->type_name("X")
      ->group(motion);
  command
      .add_option("--motion-fps", arguments.motion_frames_per_second,
                  "Frames a second of a motion that does not say it: a folder of pictures, poses of other programs")
      ->default_str(fmt::to_string(pose::kUntoldFramesPerSecond))
      ->type_name("N")
      ->group(motion);
  command.add_option("--motion-size", arguments.motion_size, "Picture size of imported poses that do not say it")
      ->type_name("WxH")
      ->group(motion);
  command.add_option("--detector", arguments.detector, "auto, dwpose (where its files are) or blazepose (built in)")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(motion);

  const std::string alignment = "Alignment";
  command.add_option("--alignment", arguments.method, "robust, or published: exactly as the published tool")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(alignment);
  command
      .add_option("--alignment-strength", rest.alignment.strength,
                  "0 keeps the driver's proportions, 1 takes the reference's (robust)")
      ->capture_default_str()
      ->type_name("X")
      ->group(alignment);
  command
      .add_option("--max-stretch", rest.alignment.max_stretch,
                  "No bone changes more than this against the whole figure (robust)")
      ->capture_default_str()
      ->type_name("X")
      ->group(alignment);
  command
      .add_flag("--leave-picture", arguments.leave_picture,
                "Let the figure walk out of the picture where the motion does (robust)")
      ->group(alignment);
  command.add_flag("--smooth", rest.smooth, "Smooth trembling joints (One-Euro filter)")->group(alignment);
  command.add_option("--max-gap", rest.gap_seconds, "Interpolate what is unseen for no longer than this")
      ->capture_default_str()
      ->type_name("S")
      ->group(alignment);
  command.add_flag("--no-preview", arguments.no_preview, "Make no preview video")->group(alignment);
}

studio::AlignRequest to_request(const AlignArguments& arguments, const std::filesystem::path& models) {
  studio::AlignRequest request = arguments.rest;
  if (!arguments.motion_frames_per_second.empty()) {
    request.motion_frames_per_second = parse_frames_per_second("--motion-fps", arguments.motion_frames_per_second);
  }
  request.person = pose::PersonChoice::parse(arguments.person);
  request.detector.choice = pose::parse_detector(arguments.detector);
  request.detector.dwpose_folder = models;
  request.detector.threads = request.threads;
  request.preview = !arguments.no_preview;
  request.alignment.keep_inside = !arguments.leave_picture;
  request.alignment.method = pose::parse_alignment_method(arguments.method);
  if (request.alignment.method == pose::AlignmentMethod::kPublished) {
    static constexpr std::array<std::string_view, 3> kOfRobust{"--alignment-strength", "--max-stretch",
                                                               "--leave-picture"};
    refuse_given(*arguments.command, kOfRobust, "with --alignment published");
  }
  if (!arguments.end.empty()) request.end_seconds = parse_seconds(arguments.end);
  if (!arguments.motion_size.empty()) {
    const PictureSize size = parse_size("--motion-size", arguments.motion_size);
    request.import_width = size.width;
    request.import_height = size.height;
  }
  return request;
}

}  // namespace unianimate::cli
