#include "unianimate/studio/job_checks.h"

#include <set>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/family/pose_folder.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_reader.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

void check_jobs(std::span<const VideoJob> jobs) {
  std::set<fs::path> references;
  std::set<fs::path> pose_folders;
  for (const VideoJob& job : jobs) {
    job.request.check();
    if (references.insert(job.request.reference).second) read_image(job.request.reference);
    if (pose_folders.insert(job.request.poses).second) family::open_pose_folder(job.request.poses);
  }
}

void add_inputs(std::span<const VideoJob> jobs, const family::ModelFiles& files, const family::RuntimeOptions& runtime,
                Inputs& inputs) {
  // Looking at a folder takes long where thousands of jobs share it.
  std::set<fs::path> pose_folders;
  std::set<fs::path> references;
  for (const VideoJob& job : jobs) {
    if (references.insert(job.request.reference).second) inputs.add(job.request.reference);
    if (pose_folders.insert(job.request.poses).second) inputs.add_folder(job.request.poses);
    if (job.audio) inputs.add(job.audio->file);
  }
  for (const fs::path& file : {files.unet, files.autoencoder, files.clip, files.description, files.small_decoder}) {
    inputs.add(file);
  }
  for (const family::LoraFile& lora : runtime.loras) inputs.add(lora.path);
}

void check_job_output(const VideoJob& job, const Inputs& inputs) {
  inputs.refuse(job.output);
  check_output(job.output, {job.request.width, job.request.height, job.shown_per_second(), job.threads});
}

void require_outside(const fs::path& output, const fs::path& job_folder) {
  if (job_folder.empty()) return;
  const fs::path folder = fs::absolute(without_trailing_separator(job_folder)).lexically_normal();
  const fs::path inside = fs::absolute(output).lexically_normal().lexically_relative(folder);
  if (!inside.empty() && *inside.begin() != "..") {
    throw Error(ErrorKind::kUsage, "the output {} lies in the folder of its job, {}; give another --job or --output",
                printable(output.string()), printable(job_folder.string()));
  }
}

}  // namespace unianimate::studio
