#include "unianimate/studio/picture_timing.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "unianimate/core/content_hash.h"
#include "unianimate/core/scratch_folder.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

constexpr int kWrittenFrames = 16;

/// Seconds for each of kWrittenFrames.
template <typename Work>
double seconds_of_one(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kWrittenFrames;
}

/// The picture, each time some rows further up, so that there is something to encode.
std::vector<Image> moving(const Image& picture) {
  constexpr int kRows = 2;
  std::vector<Image> frames{picture};
  const std::ptrdiff_t step = std::ptrdiff_t{kRows} * picture.width * Image::kChannels;
  while (frames.size() < kWrittenFrames) {
    Image next = frames.back();
    std::rotate(next.pixels.begin(), next.pixels.begin() + step % std::ssize(next.pixels), next.pixels.end());
    frames.push_back(std::move(next));
  }
  return frames;
}

void write(FrameSink& sink, const std::vector<Image>& frames) {
  for (const Image& frame : frames) sink.write(frame);
  sink.finish();
}

/// A pose picture of the job or, where they are still to be made, one as dark as they are.
fs::path some_pose(const VideoJob& job, bool has_poses, const fs::path& scratch) {
  if (has_poses) return family::open_pose_folder(job.request.poses, job.request.pose_order).reference_pose;
  fs::path file = scratch / "pose.png";
  write_png(file, Image(job.request.width, job.request.height));
  return file;
}

}  // namespace

pipeline::PictureSeconds time_pictures(const VideoJob& job, const pipeline::AnimatePlan& plan, bool has_poses,
                                       bool keeps_job) {
  const ScratchFolder scratch;
  const family::AnimateRequest& request = job.request;
  const Image reference = read_reference(request.reference, request.background).image;
  pipeline::PictureSeconds seconds;
  const fs::path pose = some_pose(job, has_poses, scratch.path());
  seconds.read = seconds_of_one([&] {
    for (int i = 0; i < kWrittenFrames; ++i) resize_bilinear(read_image(pose), request.width, request.height);
  });
  const std::vector<Image> frames = moving(resize_bilinear(reference, plan.output_width, plan.output_height));
  const bool writes_folder = names_a_folder(job.output);
  const fs::path video = scratch.path() / (writes_folder ? "video" : "video" + job.output.extension().string());
  if (writes_folder) make_folder(video);
  VideoJob silent = job;
  silent.audio.reset();
  const double written = seconds_of_one([&] { write(*open_video(silent, video_format(job, plan), video), frames); });
  if (!keeps_job) {
    seconds.decode = written;
    return seconds;
  }
  const std::vector<Image> kept = moving(resize_bilinear(reference, request.width, request.height));
  const fs::path part = scratch.path() / "part.mkv";
  seconds.decode = seconds_of_one([&] {
    write(*open_video_writer(part, {request.width, request.height, job.frames_per_second, 0}), kept);
    content_hash(part);
  });
  seconds.write = written + seconds_of_one([&] {
                    const auto source = open_frame_source(part);
                    while (source->next()) {
                    }
                  });
  return seconds;
}

}  // namespace unianimate::studio
