#include "unianimate/pose/draw/pose_folder_writer.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/core/threads.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/draw/drawing.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kReferencePose = "ref_pose.jpg";

bool is_pose_picture(const fs::path& path) {
  const std::string stem = path.stem().string();
  const bool numbered =
      path.extension() == ".jpg" && !stem.empty() && stem.find_first_not_of("0123456789") == std::string::npos;
  return (numbered || path.filename() == kReferencePose) && written_mark(path) == kPosePictureMark;
}

/// The first file in the folder that this class did not write.
std::optional<fs::path> foreign_file(const fs::path& folder) {
  std::error_code problem;
  if (!fs::exists(folder, problem)) return std::nullopt;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (!is_pose_picture(entry->path()) && !OutputFolder::is_left_behind(entry->path())) return entry->path();
  }
  if (!problem) return std::nullopt;
  throw Error(ErrorKind::kEnvironment, "{} could not be listed: {}", printable(folder.string()), problem.message());
}

/// The folder without a separator at its end, unless it holds files of others.
fs::path require_own(const fs::path& folder) {
  if (const auto foreign = foreign_file(folder)) {
    throw Error(ErrorKind::kUsage,
                "{} holds {}, which is no pose picture that this program wrote, and the folder would be replaced; "
                "choose another folder",
                printable(folder.string()), printable(foreign->filename().string()));
  }
  return without_trailing_separator(folder);
}

}  // namespace

bool PoseFolderWriter::may_replace(const fs::path& folder) {
  std::error_code ignored;
  return !fs::exists(folder, ignored) || (fs::is_directory(folder, ignored) && !foreign_file(folder));
}

PoseFolderWriter::PoseFolderWriter(const fs::path& folder, std::size_t count)
    : folder_(require_own(folder)),
      output_(folder_, is_pose_picture),
      digits_(name_digits(static_cast<std::int64_t>(count))) {}

void PoseFolderWriter::write(std::string_view name, const Image& picture) const {
  constexpr int kPublishedQuality = 95;
  write_file(output_.temporary() / name, encode_jpeg(picture, kPublishedQuality, kPosePictureMark));
}

void PoseFolderWriter::write_pose(std::size_t index, const Image& picture) const {
  write(fmt::format("{:0{}}.jpg", index, digits_), picture);
}

void PoseFolderWriter::write_reference_pose(const Image& picture) const {
  write(kReferencePose, picture);
}

void PoseFolderWriter::finish() {
  require_own(folder_);
  output_.commit();
}

void draw_pose_folder(const AlignedPoses& poses, const fs::path& path, int threads, Progress& progress) {
  const std::size_t count = poses.motion.frames.size();
  PoseFolderWriter folder(path, count);
  progress.begin_phase("draw poses", static_cast<std::int64_t>(count));
  const auto draw = [&](const Keypoints& keypoints) {
    return draw_pose(keypoints, poses.motion.width, poses.motion.height);
  };
  folder.write_reference_pose(draw(poses.reference));
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&](bool reports) {
    try {
      for (std::size_t i = next++; i < count; i = next++) {
        progress.throw_if_cancelled();
        const auto& people = poses.motion.frames[i].people;
        folder.write_pose(i, draw(people.empty() ? Keypoints{} : people.front().keypoints));
        if (reports) progress.step(static_cast<std::int64_t>(i + 1));
      }
    } catch (...) {
      const std::scoped_lock lock(mutex);
      failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (int i = 1; i < thread_count(threads); ++i) others.emplace_back(work, false);
    } catch (const std::system_error&) {
      // This thread does all the work where there can be no others.
    }
    work(true);
  }
  if (failure) std::rethrow_exception(failure);
  folder.finish();
}

}  // namespace unianimate::pose
