// unianimate puppet: a procedural person with known poses.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/fields/command_line.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/align/person_field.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/pose/format/pose_import.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/puppet/clip_poses.h"
#include "unianimate/puppet/motion_field.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

struct PuppetArguments {
  puppet::ClipOptions clip;
  fs::path poses;
  pose::PersonChoice person;
  puppet::Bones bones = puppet::Bones::kOfPoses;
  int poses_width = 0;  ///< pixels; 0: not known
  int poses_height = 0;
  fs::path output;
  bool quiet = false;
};

void visit(fields::Archive& archive, PuppetArguments& arguments) {
  puppet::ClipOptions& clip = arguments.clip;
  archive("seed", clip.seed, "Person, background and movement");
  archive("motion", clip.motion, fields::type("NAME"), "dance, walk or wave");
  archive("poses", arguments.poses, "Poses to perform, of a file or folder: poses.json, OpenPose, ComfyUI");
  archive("person", arguments.person, fields::type("NAME"), fields::needs("--poses"),
          "Whose poses: main, largest, center, left, right, a number or x,y");
  archive("bones", arguments.bones, fields::needs("--poses"),
          "Whose lengths the bones have: poses, at their place in their picture, or person");
  archive.optional_size("poses_size", arguments.poses_width, arguments.poses_height, fields::needs("--poses"),
                        fields::range(1, 65'536, "pixels"), "Picture size of --poses that do not say it");
  archive("frames", clip.frames, fields::range(1, puppet::kMostFrames), fields::kUntoldDefault,
          "Frames to draw (default: 64, or all of --poses)");
  archive.size("size", clip.width, clip.height, fields::range(puppet::kSmallestSide, puppet::kLargestSide, "pixels"),
               "Width x height in pixels");
  archive("fps", clip.frames_per_second, fields::range(puppet::kSlowestRate, puppet::kFastestRate), fields::type("N"),
          fields::kUntoldDefault, "Frames a second (default: 16, or as --poses)");
  archive("output", arguments.output, fields::option("--output,-o"), fields::type("DIR"), fields::kRequired,
          "Folder for what is drawn");
  archive("quiet", arguments.quiet, "No progress");
}

constexpr const char* kPuppetExamples = R"(Examples:
  unianimate puppet --seed 7 --output puppet7
  unianimate puppet --seed 8 --motion walk --frames 64 --size 384x512 --output walker
  unianimate animate --reference puppet7/reference.png --poses puppet7/poses --output out.mp4

A seed gives one person in front of one background and one movement, the same on every machine. With --poses the person
performs poses of a file instead: poses.json (as align --detect-only finds them in a video), or OpenPose's or ComfyUI's.
The folder gets video.mp4, reference.png (the same person in another posture), poses.json (all 134 points) and poses/
(pose pictures).)";

puppet::Clip make_clip(const PuppetArguments& arguments, const fields::CommandLine& given, Progress& progress) {
  puppet::ClipOptions options = arguments.clip;
  options.check();
  if (arguments.poses.empty()) return puppet::Clip(options);
  given.refuse(fields::only({"motion"}), "with --poses, which are the motion");

  pose::ImportOptions import;
  import.width = arguments.poses_width;
  import.height = arguments.poses_height;
  const pose::PoseSequence everyone = pose::import_poses(arguments.poses, import);
  for (const std::string& note : everyone.notes) progress.note(note);
  if (import.width > 0 && (everyone.width != import.width || everyone.height != import.height)) {
    progress.note("--poses-size is not used, because the poses say their size themselves");
  }
  const pose::PoseSequence poses = puppet::poses_to_perform(
      everyone, arguments.person, given.gave("fps") ? std::optional(options.frames_per_second) : std::nullopt);
  for (const std::string& note : poses.notes) progress.note(note);
  options.frames_per_second = poses.frames_per_second;
  if (!given.gave("frames")) options.frames = static_cast<std::int64_t>(poses.frames.size());
  return {options, poses, arguments.bones};
}

void make_puppet(const fields::CommandLine& given, Session& session) {
  const auto arguments = given.taken<PuppetArguments>();
  const fs::path folder = arguments.output;
  Inputs inputs;
  inputs.add_folder(arguments.poses);
  for (const char* name : {"poses", "poses.json", "reference.png", "video.mp4"}) inputs.refuse(folder / name);
  const puppet::Clip clip = make_clip(arguments, given, *session.reporter);
  const puppet::ClipOptions& options = clip.options();
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
  const auto options = std::make_shared<fields::CommandLine>();
  options->add(command, PuppetArguments());
  command.footer(kPuppetExamples);
  return {[options, &session] { make_puppet(*options, session); }, options};
}

}  // namespace unianimate::cli
