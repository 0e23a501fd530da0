// unianimate puppet: a procedural person with known poses.
#include <CLI/CLI.hpp>

#include "unianimate/cli/console.h"
#include "unianimate/cli/integer_option.h"
#include "unianimate/cli/interruption.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/session.h"
#include "unianimate/core/error.h"
#include "unianimate/media/image_writer.h"
#include "unianimate/media/video_writer.h"
#include "unianimate/pose/align.h"
#include "unianimate/pose/pose_json.h"
#include "unianimate/puppet/clip_poses.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

struct PuppetArguments {
  std::string seed = "0";
  std::string size = "192x256";
  std::string motion = "dance";
  std::string output;
  puppet::ClipOptions rest;
  bool quiet = false;
};

constexpr const char* kExamples = R"(Examples:
  unianimate puppet --seed 7 --output puppet7
  unianimate puppet --seed 8 --motion walk --frames 64 --size 384x512 --output walker
  unianimate animate --reference puppet7/reference.png --poses puppet7/poses --output out.mp4

A seed gives one person in front of one background and one movement, the same on every machine. The folder gets
video.mp4, reference.png (the same person in another posture), poses.json (all 134 points) and poses/ (pose pictures).)";

void make_puppet(const PuppetArguments& arguments, Session& session) {
  session.reporter = make_reporter(false, arguments.quiet);
  catch_interruptions();
  puppet::ClipOptions options = arguments.rest;
  options.seed = parse_seed(arguments.seed);
  options.motion = puppet::parse_motion(arguments.motion);
  const PictureSize size = parse_size("--size", arguments.size);
  options.width = size.width;
  options.height = size.height;
  options.check();
  const puppet::Clip clip(options);
  const fs::path folder = arguments.output;
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "the folder {} cannot be made: {}", printable(folder.string()),
                problem.message());
  }
  const pose::AlignedPoses poses = puppet::poses_of(clip);
  pose::draw_pose_folder(poses, folder / "poses", 0, *session.reporter);
  pose::write_poses(folder / "poses.json", poses);
  write_png(folder / "reference.png", clip.reference());
  const auto video =
      open_video_writer(folder / "video.mp4", {options.width, options.height, options.frames_per_second});
  session.reporter->begin_phase("draw frames", options.frames);
  for (std::int64_t i = 0; i < options.frames; ++i) {
    session.reporter->throw_if_cancelled();
    video->write(clip.frame(i));
    session.reporter->step(i + 1);
  }
  video->finish();
  print(stdout, "{}\n", printable((folder / "video.mp4").string(), kMessageBytes));
}

}  // namespace

void add_puppet_command(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<PuppetArguments>();
  CLI::App* command = app.add_subcommand("puppet", "Draw a procedural person whose poses are known exactly");
  command->add_option("--seed", arguments->seed, "Person, background and movement")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--motion", arguments->motion, "dance, walk or wave")->capture_default_str()->type_name("NAME");
  add_integer_option(*command, "--frames", arguments->rest.frames, "Frames to draw");
  command->add_option("--size", arguments->size, "Width x height in pixels")->capture_default_str()->type_name("WxH");
  command->add_option("--fps", arguments->rest.frames_per_second, "Frames a second")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--output,-o", arguments->output, "Folder for what is drawn")->type_name("DIR")->required();
  command->add_flag("--quiet", arguments->quiet, "No progress");
  command->footer(kExamples);
  command->callback(
      [arguments, &session] { session.command = [arguments, &session] { make_puppet(*arguments, session); }; });
}

}  // namespace unianimate::cli
