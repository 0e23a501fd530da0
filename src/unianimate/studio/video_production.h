// Making one video that is planned, and keeping what is done of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "unianimate/core/output_rule.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/family.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/studio/job_folder.h"
#include "unianimate/studio/job_observer.h"

namespace unianimate::studio {

/// Only the first process writes and talks; null: this one alone.
bool is_first(const distributed::ProcessGroup* group);
int group_size(const distributed::ProcessGroup* group);

/// "videos/dance.mp4", "-job" -> "videos/dance-job"
std::filesystem::path beside_output(const std::filesystem::path& output, std::string_view ending);

/// Where the previews of a video go: "videos/dance-preview.mp4", or the next free name.
std::filesystem::path preview_file(const VideoJob& job, const Inputs& inputs);

pipeline::PreviewOptions preview_options(const JobKeeping& keeping);

/// What its sink needs of memory for each pixel of a frame, as AnimationPlanner takes it.
std::int64_t sink_pixel_bytes(const VideoJob& job);

/// Of the file, with interpolated frames.
VideoFormat video_format(const VideoJob& job, const pipeline::AnimatePlan& plan);
std::int64_t shown_frames(const VideoJob& job, const pipeline::AnimatePlan& plan);

/// Throws as VideoFormat::check(), Error(kUsage) where there is nothing to interpolate between, and, where this process
/// writes the video, as check_space().
void check_video(const VideoJob& job, const pipeline::AnimatePlan& plan, bool writes);

/// A sink for the frames that the models make, of the job's video at `place`. Throws as open_video_writer() and
/// interpolate_motion().
std::unique_ptr<FrameSink> open_video(const VideoJob& job, const VideoFormat& format,
                                      const std::filesystem::path& place);

/// Where the job is kept when nothing is in the way: the folder that was asked for, or the one beside the output; empty
/// where none is kept.
std::filesystem::path wanted_job_folder(const VideoJob& job, const JobKeeping& keeping);

/// The folder to keep the record's job in, `wanted` of wanted_job_folder(), which may hold work of before; notes tell
/// of that, and of a folder that is another than the wanted one. Throws as JobFolder::create().
std::unique_ptr<JobFolder> begin_job(const JobRecord& record, const std::filesystem::path& wanted,
                                     const JobKeeping& keeping, JobObserver& observer);

/// A video of which nothing more has to be found out.
struct Production {
  const VideoJob& job;
  const pipeline::AnimatePlan& plan;
  std::unique_ptr<JobFolder> folder;  ///< null: nothing is kept
  pipeline::PreviewOptions preview;
  std::filesystem::path preview_file;          ///< a video, replaced with every preview
  bool keep = false;                           ///< the folder, when the video is done
  distributed::ProcessGroup* group = nullptr;  ///< processes that share the work; null: this one alone
  std::optional<double> pose_seconds = {};     ///< that making its poses took
};

/// Throws Error of every kind; the job folder then stays where it holds work, and a note says so.
FinishedVideo produce(Production production, family::Family& models, JobObserver& observer);

}  // namespace unianimate::studio
