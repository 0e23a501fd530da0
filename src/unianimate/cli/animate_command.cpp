// unianimate animate: one picture, one motion, one video.
#include <CLI/CLI.hpp>
#include <array>
#include <optional>

#include "unianimate/cli/align_arguments.h"
#include "unianimate/cli/interruption.h"
#include "unianimate/cli/job_arguments.h"
#include "unianimate/cli/process_arguments.h"
#include "unianimate/cli/process_environment.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/cli/session.h"
#include "unianimate/cli/unused_options.h"
#include "unianimate/cli/video_jobs.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/families/families.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/pose/draw/pose_folder_writer.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/studio/motion_opening.h"
#include "unianimate/studio/motion_times.h"
#include "unianimate/studio/pose_preparation.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

struct AnimateArguments {
  RequestArguments request;
  AlignArguments align;
  std::string motion;
  std::string saved_poses;
  std::string audio = "keep";
  std::string output;
  std::string frames_per_second;
  JobKeeping keeping;
  int processes = 1;
  RuntimeArguments runtime;
};

constexpr const char* kExamples = R"(Examples:
  unianimate animate --reference person.jpg --motion dance.mp4 --output person_dances.mp4
  unianimate animate --reference person.jpg --motion dance.mp4 --output dance.mp4 --start 3 --end 8 --person left
  unianimate animate --reference person.jpg --poses poses/dance --output dance.mp4 --size 768x1216 --frames all
  unianimate animate --reference person.jpg --poses poses/dance --output frames/ --steps 20 --dry-run

A video that was stopped or killed is gone on with by the same command, or by 'unianimate resume'. With --motion the
poses are taken from a video and fitted to the person first, as 'unianimate align' does; they stay beside the output. A folder of --poses holds ref_pose.jpg, the pose of the person in the reference picture, and one
picture for each pose, taken in the order of their names. The output's name chooses the kind of file: .mp4, .webm, .gif,
.mkv (lossless) or a folder with a '/' at its end for PNG pictures.)";

constexpr double kPublishedFramesPerSecond = 8;

/// Where the poses are drawn: the folder that was given, or "videos/dance-poses" beside "videos/dance.mp4".
fs::path saved_poses(const AnimateArguments& arguments, const VideoJob& job, const Inputs& inputs, Reporter& reporter) {
  if (!arguments.saved_poses.empty()) return arguments.saved_poses;
  fs::path output = without_trailing_separator(job.output);
  const fs::path wanted = beside(output.replace_extension(), "-poses");
  fs::path folder = own_folder(wanted, [&](const fs::path& place) {
    return pose::PoseFolderWriter::may_replace(place) && !inputs.contain(place) && !inputs.lie_in(place);
  });
  tell_place(wanted, folder, reporter);
  return folder;
}

void check_sources(const AnimateArguments& arguments) {
  if (arguments.motion.empty() == arguments.request.poses.empty()) {
    throw Error(
        ErrorKind::kUsage,
        "give either --motion, a video of somebody moving, or --poses, a folder of pose pictures or poses.json");
  }
  if (arguments.audio != "keep" && arguments.audio != "none") {
    throw Error(ErrorKind::kUsage, "--audio is keep or none, found '{}'", printable(arguments.audio));
  }
}

/// Of a motion, or of poses that are to be fitted like one.
studio::AlignRequest align_request(const AnimateArguments& arguments, const fs::path& motion, const fs::path& folder,
                                   const VideoJob& job) {
  studio::AlignRequest request = to_request(arguments.align, models_folder(arguments.runtime.models));
  request.reference = job.request.reference;
  request.background = job.request.background;
  request.motion = motion;
  request.output = folder;
  request.threads = arguments.runtime.threads;
  if (!arguments.frames_per_second.empty()) request.frames_per_second = job.frames_per_second;
  return request;
}

/// What the poses of a motion say about the video.
void take_motion(const AnimateArguments& arguments, const studio::AlignRequest& request,
                 const studio::MotionTimes& times, double audio_start_seconds, VideoJob& job, Reporter& reporter) {
  // With --fps poses are made for just these frames.
  if (request.frames_per_second) job.request.frame_interval = 1;
  job.request.poses = request.output;
  job.poses_per_second = times.frames_per_second;
  if (arguments.audio == "none" || !times.has_audio) return;
  if (const std::string why = why_no_audio(job.output); !why.empty()) return reporter.note(why);
  job.audio = AudioSource{request.motion, audio_start_seconds};
}

/// Makes the poses, or for a dry run only counts them.
std::optional<PlannedMotion> pose_folder_from_motion(const AnimateArguments& arguments, const fs::path& motion,
                                                     const fs::path& folder, VideoJob& job, Reporter& reporter) {
  if (!arguments.frames_per_second.empty() && job.request.frame_interval != 1) {
    refuse_given(*arguments.align.command, std::array<std::string_view, 1>{"--interval"},
                 "with --fps, for which a pose is made for each frame of the video");
  }
  const studio::AlignRequest request = align_request(arguments, motion, folder, job);
  if (arguments.runtime.dry_run) {
    const studio::MotionTimes times = studio::read_motion_times(request);
    for (const std::string& note : times.notes) reporter.note(note);
    take_motion(arguments, request, times, request.start_seconds, job, reporter);
    return PlannedMotion{request, arguments.align.person, arguments.align.detector, times.poses};
  }
  const studio::AlignResult result = studio::prepare_poses(request, reporter);
  reporter.aligned({request, result});
  studio::MotionTimes times;
  times.frames_per_second = result.poses.motion.frames_per_second;
  times.has_audio = result.has_audio;
  take_motion(arguments, request, times, result.audio_start_seconds, job, reporter);
  return std::nullopt;
}

/// Poses that `align` made as numbers need only be drawn.
std::optional<PlannedMotion> pose_folder_from_aligned(const AnimateArguments& arguments,
                                                      const pose::AlignedPoses& poses, const fs::path& folder,
                                                      VideoJob& job, Reporter& reporter) {
  refuse_given(*arguments.align.command, motion_options(), "with poses that are fitted to the reference already");
  if (arguments.frames_per_second.empty()) job.poses_per_second = poses.motion.frames_per_second;
  PlannedMotion planned;
  planned.request.motion = job.request.poses;
  planned.poses = static_cast<std::int64_t>(poses.motion.frames.size());
  job.request.poses = folder;
  if (arguments.runtime.dry_run) return planned;
  pose::draw_pose_folder(poses, job.request.poses, arguments.runtime.threads, reporter);
  return std::nullopt;
}

std::optional<PlannedMotion> prepare_pose_folder(const AnimateArguments& arguments, const Inputs& inputs, VideoJob& job,
                                                 Reporter& reporter) {
  const fs::path folder = saved_poses(arguments, job, inputs, reporter);
  if (!arguments.motion.empty()) return pose_folder_from_motion(arguments, arguments.motion, folder, job, reporter);
  if (const auto aligned = pose::read_aligned_poses(job.request.poses)) {
    return pose_folder_from_aligned(arguments, *aligned, folder, job, reporter);
  }
  return pose_folder_from_motion(arguments, job.request.poses, folder, job, reporter);
}

/// Options that concern a motion say nothing about pictures of poses.
void refuse_unused_options(const AnimateArguments& arguments, bool has_pose_pictures) {
  const CLI::App& command = *arguments.align.command;
  if (has_pose_pictures) {
    constexpr std::string_view kWhen = "with a folder of pose pictures, which are taken as they are";
    refuse_given(command, motion_options(), kWhen);
    refuse_given(command, std::array<std::string_view, 1>{"--save-poses"}, kWhen);
    if (arguments.audio == "keep") refuse_given(command, std::array<std::string_view, 1>{"--audio"}, kWhen);
  }
  check_job_options(command, arguments.keeping);
}

void animate(const AnimateArguments& arguments, Session& session) {
  restart_with_tuned_environment(session.arguments);
  if (is_run_by_copies(arguments.processes, session)) return;
  make_reporter_of_rank(arguments.runtime.json, arguments.runtime.quiet, session);
  catch_interruptions();
  check_sources(arguments);

  JobOptions options;
  options.runtime = prepare_runtime(arguments.runtime);
  options.dry_run = arguments.runtime.dry_run;
  options.keeping = arguments.keeping;
  const fs::path models = models_to_animate_with(arguments.runtime.models);
  VideoJob job{to_request(arguments.request, family::default_request(models)), arguments.output,
               kPublishedFramesPerSecond, arguments.runtime.threads};
  if (!arguments.frames_per_second.empty()) {
    job.frames_per_second = parse_frames_per_second("--fps", arguments.frames_per_second);
  }
  const auto group = join_processes(options.runtime);
  options.group = group.get();
  const bool needs_drawing = !arguments.motion.empty() || studio::holds_pose_numbers(job.request.poses);
  refuse_unused_options(arguments, !needs_drawing);
  if (needs_drawing) {
    job.request.check();
    read_image(job.request.reference);
  } else {
    check_jobs({job});
  }
  Inputs& inputs = options.inputs;
  inputs.add_folder(arguments.motion);
  add_inputs(std::span(&job, 1), {}, options.runtime, inputs);
  if (group->rank() == 0) check_job_output(job, inputs);
  inputs.refuse(arguments.saved_poses);
  inputs.refuse(arguments.keeping.folder);
  options.files = family::find_model_files(models);
  tell_models(models, *session.reporter);
  if (needs_drawing) {
    // says now what would fail after the poses
    const std::unique_ptr<family::Family> family = family::open_family(options.files, options.runtime);
    pipeline::check_size(job.request.width, job.request.height, family->geometry());
    static_cast<void>(family->check());
    if (group->size() > 1) {
      throw Error(ErrorKind::kUsage,
                  "several processes need pose pictures that are there already: run 'unianimate align' first and give "
                  "its output to --poses");
    }
    options.motion = prepare_pose_folder(arguments, inputs, job, *session.reporter);
  }
  run_jobs(
      {job}, options, [](const family::ModelConfigs&) {}, *session.reporter);
}

}  // namespace

void add_animate_command(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<AnimateArguments>();
  CLI::App* command = app.add_subcommand("animate", "Animate a picture with the motion of a video, or with poses");
  add_request_options(*command, arguments->request);
  command->add_option("--motion", arguments->motion, "Video, animation or folder of pictures of somebody moving")
      ->type_name("PATH");
  command->add_option("--output,-o", arguments->output, "Video file, or folder for PNG pictures")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--fps", arguments->frames_per_second,
                   "Frames a second of the video (default: as fast as the motion, 8 for pose pictures); with "
                   "--motion a pose is made for each, and --interval is not used")
      ->type_name("N");
  command->add_option("--audio", arguments->audio, "Sound of the motion in the result: keep or none")
      ->capture_default_str()
      ->type_name("NAME");
  command
      ->add_option("--save-poses", arguments->saved_poses,
                   "Folder for the poses of --motion (default: beside the output)")
      ->type_name("DIR");
  add_align_options(*command, arguments->align);
  add_job_folder_option(*command, arguments->keeping);
  add_job_options(*command, arguments->keeping);
  add_processes_option(*command, arguments->processes);
  add_runtime_options(*command, arguments->runtime);
  command->footer(kExamples);
  command->callback(
      [arguments, &session] { session.command = [arguments, &session] { animate(*arguments, session); }; });
}

}  // namespace unianimate::cli
