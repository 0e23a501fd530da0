// unianimate puppet: a procedural person with known poses.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/integer_option.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/pose/format/pose_import.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/puppet/clip_poses.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

struct PuppetArguments {
  std::string seed = "0";
  std::string size = "192x256";
  std::string motion = "dance";
  std::string poses;
  std::string poses_size;
  std::string person = "main";
  std::string bones = "poses";
  std::string output;
  puppet::ClipOptions rest;
  bool frames_given = false;
  bool rate_given = false;
  bool quiet = false;
};

constexpr const char* kExamples = R"(Examples:
  unianimate puppet --seed 7 --output puppet7
  unianimate puppet --seed 8 --motion walk --frames 64 --size 384x512 --output walker
  unianimate animate --reference puppet7/reference.png --poses puppet7/poses --output out.mp4

A seed gives one person in front of one background and one movement, the same on every machine. With --poses the person
performs poses of a file instead: poses.json (as align --detect-only finds them in a video), or OpenPose's or ComfyUI's.
The folder gets video.mp4, reference.png (the same person in another posture), poses.json (all 134 points) and poses/
(pose pictures).)";

puppet::Clip make_clip(const PuppetArguments& arguments, puppet::ClipOptions options, Progress& progress) {
  const pose::PersonChoice person = pose::PersonChoice::parse(arguments.person);
  const puppet::Bones bones = puppet::parse_bones(arguments.bones);
  options.check();
  if (arguments.poses.empty()) return puppet::Clip(options);

  pose::ImportOptions import;
  if (!arguments.poses_size.empty()) {
    const PictureSize size = parse_size("--poses-size", arguments.poses_size);
    import.width = size.width;
    import.height = size.height;
  }
  const pose::PoseSequence everyone = pose::import_poses(arguments.poses, import);
  for (const std::string& note : everyone.notes) progress.note(note);
  if (import.width > 0 && (everyone.width != import.width || everyone.height != import.height)) {
    progress.note("--poses-size is not used, because the poses say their size themselves");
  }
  const pose::PoseSequence poses = puppet::poses_to_perform(
      everyone, person, arguments.rate_given ? std::optional(options.frames_per_second) : std::nullopt);
  for (const std::string& note : poses.notes) progress.note(note);
  options.frames_per_second = poses.frames_per_second;
  if (!arguments.frames_given) options.frames = static_cast<std::int64_t>(poses.frames.size());
  return {options, poses, bones};
}

void make_puppet(const PuppetArguments& arguments, Session& session) {
  puppet::ClipOptions options = arguments.rest;
  options.seed = parse_seed(arguments.seed);
  options.motion = puppet::parse_motion(arguments.motion);
  const PictureSize size = parse_size("--size", arguments.size);
  options.width = size.width;
  options.height = size.height;
  const fs::path folder = arguments.output;
  Inputs inputs;
  inputs.add_folder(arguments.poses);
  for (const char* name : {"poses", "poses.json", "reference.png", "video.mp4"}) inputs.refuse(folder / name);
  const puppet::Clip clip = make_clip(arguments, options, *session.reporter);
  options = clip.options();
  make_folder(folder);
  const auto place = [&](const char* name, std::string_view mark) {
    return own_place(folder / name, mark, inputs, *session.reporter);
  };
  const fs::path pictures = own_folder(folder / "poses", pose::PoseFolderWriter::may_replace);
  tell_place(folder / "poses", pictures, *session.reporter);
  const pose::AlignedPoses poses = puppet::poses_of(clip);
  pose::draw_pose_folder(poses, pictures, 0, *session.reporter);
  pose::write_poses(place("poses.json", kMark), poses);
  write_png(place("reference.png", kPictureMark), clip.reference());
  const fs::path file = place("video.mp4", kMark);
  const auto video = open_video_writer(file, {options.width, options.height, options.frames_per_second});
  session.reporter->begin_phase("draw frames", options.frames);
  for (std::int64_t i = 0; i < options.frames; ++i) {
    session.reporter->throw_if_cancelled();
    video->write(clip.frame(i));
    session.reporter->step(i + 1);
  }
  video->finish();
  print(stdout, "{}\n", printable(file.string(), kMessageBytes));
}

}  // namespace

CommandWork add_puppet_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<PuppetArguments>();
  command.add_option("--seed", arguments->seed, "Person, background and movement")
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--motion", arguments->motion, "dance, walk or wave")->capture_default_str()->type_name("NAME");
  command
      .add_option("--poses", arguments->poses, "Poses to perform, of a file or folder: poses.json, OpenPose, ComfyUI")
      ->type_name("PATH")
      ->excludes("--motion");
  command.add_option("--person", arguments->person, "Whose poses: main, largest, center, left, right, a number or x,y")
      ->capture_default_str()
      ->type_name("NAME")
      ->needs("--poses");
  command
      .add_option("--bones", arguments->bones,
                  "Whose lengths the bones have: poses, at their place in their picture, or person")
      ->capture_default_str()
      ->type_name("NAME")
      ->needs("--poses");
  command.add_option("--poses-size", arguments->poses_size, "Picture size of --poses that do not say it")
      ->type_name("WxH")
      ->needs("--poses");
  const CLI::Option* frames =
      add_integer_option(command, "--frames", arguments->rest.frames, "Frames to draw (default: 64, or all of --poses)")
          ->default_str("");
  command.add_option("--size", arguments->size, "Width x height in pixels")->capture_default_str()->type_name("WxH");
  const CLI::Option* rate =
      command.add_option("--fps", arguments->rest.frames_per_second, "Frames a second (default: 16, or as --poses)")
          ->type_name("N");
  command.add_option("--output,-o", arguments->output, "Folder for what is drawn")->type_name("DIR")->required();
  command.add_flag("--quiet", arguments->quiet, "No progress");
  command.footer(kExamples);
  const auto run = [arguments, frames, rate, &session] {
    arguments->frames_given = frames->count() > 0;
    arguments->rate_given = rate->count() > 0;
    make_puppet(*arguments, session);
  };
  return {run, nullptr, &arguments->quiet};
}

}  // namespace unianimate::cli
