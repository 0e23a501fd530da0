#include "unianimate/training/video_preparation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "unianimate/core/content_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/animation.h"
#include "unianimate/media/pictures/frame_source.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/resize.h"
#include "unianimate/pose/align/timing.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

// ---- which videos

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem); !problem && entry != fs::directory_iterator();
       entry.increment(problem)) {
    if (!is_hidden(entry->path())) entries.push_back(entry->path());
  }
  if (problem) {
    throw Error(ErrorKind::kInput, "the folder of videos {} cannot be read: {}", printable(folder.string()),
                problem.message());
  }
  std::ranges::sort(entries, natural_less, [](const fs::path& entry) { return entry.filename().string(); });
  return entries;
}

/// Links to folders are not followed: they may lead round in circles.
void collect(const fs::path& folder, std::vector<fs::path>& videos) {
  const std::vector<fs::path> entries = entries_of(folder);
  const auto is_file_of_picture = [](const fs::path& entry) {
    std::error_code ignored;
    return fs::is_regular_file(entry, ignored) && is_picture(entry);
  };
  const bool is_video =
      !entries.empty() && std::ranges::all_of(entries, is_file_of_picture) && !is_animation(entries.front());
  if (is_video) {
    videos.push_back(folder);
    return;
  }
  for (const fs::path& entry : entries) {
    std::error_code ignored;
    if (fs::is_regular_file(entry, ignored)) videos.push_back(entry);
    if (fs::is_directory(fs::symlink_status(entry, ignored))) collect(entry, videos);
  }
}

std::vector<fs::path> list_videos(const std::vector<fs::path>& paths) {
  std::vector<fs::path> videos;
  for (const fs::path& path : paths) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
      throw Error(ErrorKind::kInput, "there is no {} among the videos to train on; correct the list of videos{}",
                  printable(path.string()), path_hint(path));
    }
    if (fs::is_directory(path, ignored)) {
      collect(path, videos);
    } else {
      videos.push_back(path);
    }
  }
  return videos;
}

// ---- one video

Image cut_out(const Image& frame, const PixelBox& box) {
  Image piece(box.width, box.height);
  for (int y = 0; y < box.height; ++y) {
    const auto from =
        frame.row(box.top + y).subspan(static_cast<std::size_t>(box.left) * Image::kChannels, piece.row_bytes());
    std::ranges::copy(from, piece.row(y).begin());
  }
  return piece;
}

pose::Keypoints cut_out(const pose::Keypoints& keypoints, const PixelBox& box, int width, int height) {
  pose::Keypoints result = keypoints;
  for (pose::Keypoint& point : result) {
    point.at = {(point.at.x - box.left) * width / box.width, (point.at.y - box.top) * height / box.height};
  }
  return result;
}

/// A reason to leave a video out.
[[noreturn]] void leave_out(const std::string& reason) {
  throw Error(ErrorKind::kInput, reason);
}

class Preparation {
 public:
  Preparation(const VideoPreparationOptions& options, std::unique_ptr<pose::PoseSource> poses, Progress& progress)
      : options_(options),
        progress_(progress),
        poses_(std::move(poses)),
        settings_(fmt::format("1; {}x{}, {} a second, person {} {} {},{}, {}", options.segments.width,
                              options.segments.height, options.segments.frame_rate,
                              static_cast<int>(options.person.kind), options.person.track, options.person.at.x,
                              options.person.at.y, poses_->identity())) {
    make_folder(options.cache);
  }

  std::vector<PreparedVideo> run() {
    const std::vector<fs::path> videos = list_videos(options_.paths);
    look_at(videos);
    std::size_t number = 0;
    for (const auto& entry : missing_) {
      const fs::path& file = entry.first;
      const fs::path& video = entry.second;
      progress_.throw_if_cancelled();
      progress_.note(fmt::format("preparing video {} of {}: {}", ++number, missing_.size(), printable(video.string())));
      unless_unusable(video, [&] {
        prepare(video, file);
        prepared_.emplace(file, open(file));
      });
    }
    if (prepared_.empty()) {
      throw Error(ErrorKind::kInput, "{} in {}; give videos in which a person is seen",
                  videos.empty() ? "there is no video" : "no video can be used, as the notes above say,",
                  list_of_paths());
    }
    std::vector<PreparedVideo> result;
    for (auto& [file, video] : prepared_) result.push_back(std::move(video));
    return result;
  }

 private:
  /// Which are prepared and which are missing.
  void look_at(const std::vector<fs::path>& videos) {
    progress_.begin_phase("look at videos", static_cast<std::int64_t>(videos.size()));
    std::int64_t done = 0;
    for (const fs::path& video : videos) {
      progress_.throw_if_cancelled();
      unless_unusable(video, [&] {
        const fs::path file = file_of(video);
        if (prepared_.contains(file) || missing_.contains(file)) leave_out("it holds the same as another one");
        if (std::optional<PreparedVideo> known = earlier(file)) {
          prepared_.emplace(file, std::move(*known));
        } else {
          missing_.emplace(file, video);
        }
      });
      progress_.step(++done);
    }
  }

  /// A video that cannot be used is told of, and that is all.
  template <typename Work>
  void unless_unusable(const fs::path& video, const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput || loading_detector_) throw;
      const std::string reason = error.what();
      const std::string name = printable(video.string());
      progress_.note(reason.find(name) != std::string::npos ? fmt::format("a video is left out: {}", reason)
                                                            : fmt::format("{} is left out: {}", name, reason));
    }
  }

  [[nodiscard]] PreparedVideo open(const fs::path& file) const {
    return {file, options_.segments.width, options_.segments.height, settings_};
  }

  [[nodiscard]] fs::path file_of(const fs::path& video) const {
    return own_place(options_.cache /
                     fmt::format("{}-{:016x}.safetensors", content_hash(video), std::hash<std::string>()(settings_)));
  }

  [[nodiscard]] std::string list_of_paths() const {
    std::vector<std::string> names;
    for (const fs::path& path : options_.paths) names.push_back(printable(path.string()));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  /// Nothing where there is no file or it is of no use.
  [[nodiscard]] std::optional<PreparedVideo> earlier(const fs::path& file) const {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return std::nullopt;
    try {
      return open(file);
    } catch (const Error& error) {
      progress_.note(fmt::format("what was prepared earlier is made again: {}", error.what()));
      return std::nullopt;
    }
  }

  void prepare(const fs::path& video, const fs::path& file) {
    const pose::PoseSequence person = find_person(video);
    const CutVideo cut = cut_video(person, options_.segments);
    if (cut.segments.empty() && cut.too_small > 0) {
      leave_out(
          fmt::format("the person is too small: cut out, they would have to be enlarged more than twice for "
                      "pictures of {}x{}",
                      options_.segments.width, options_.segments.height));
    }
    if (cut.segments.empty()) leave_out("the person is not seen well in two frames that follow each other");
    write_segments(video, file, person, cut.segments);
  }

  /// In the frames in which they are seen or were so within half a second.
  pose::PoseSequence find_person(const fs::path& video) {
    const auto source = poses_->open(video);
    for (const std::string& note : source->info().notes) progress_.note(note);
    load_detector(video);
    const pose::PoseSequence everyone = poses_->find_people(*source, video, options_.cache);
    if (everyone.frames.size() == 1) leave_out("it has only one frame");
    const bool anybody =
        std::ranges::any_of(everyone.frames, [](const pose::PoseFrame& frame) { return !frame.people.empty(); });
    if (!anybody) leave_out(fmt::format("nobody was found in any of its {} frames", everyone.frames.size()));
    pose::PoseSequence person = pose::choose_person(everyone, options_.person);
    const pose::FilledGaps gaps = pose::fill_gaps(person, pose::kGapSeconds);
    for (const std::int64_t frame : gaps.held) person.frames[static_cast<std::size_t>(frame)].people.clear();
    return person;
  }

  /// A detector that cannot be loaded is no fault of a video.
  void load_detector(const fs::path& video) {
    loading_detector_ = true;
    poses_->load(video, options_.cache);
    loading_detector_ = false;
  }

  void write_segments(const fs::path& video, const fs::path& file, const pose::PoseSequence& person,
                      const std::vector<VideoSegment>& segments) {
    const int width = options_.segments.width;
    const int height = options_.segments.height;
    std::vector<std::int64_t> lengths;
    lengths.reserve(segments.size());
    for (const VideoSegment& segment : segments) lengths.push_back(static_cast<std::int64_t>(segment.frames.size()));
    PreparedVideoWriter writer(file, lengths, width, height, settings_);
    const auto source = poses_->open(video);
    progress_.begin_phase("cut out people", static_cast<std::int64_t>(person.frames.size()));
    for (const VideoSegment& segment : segments) {
      std::vector<at::Tensor> pictures;
      PreparedSegment prepared;
      for (const std::size_t frame : segment.frames) {
        const Image whole = frame_at(*source, person.frames[frame].seconds);
        const Image picture = resize_bilinear(cut_out(whole, segment.crop), width, height);
        pictures.push_back(family::tensor_from_image(picture));
        prepared.keypoints.push_back(
            cut_out(person.frames[frame].people.front().keypoints, segment.crop, width, height));
        progress_.step(static_cast<std::int64_t>(frame + 1));
      }
      prepared.pictures = at::stack(pictures);
      writer.write(prepared);
    }
    writer.finish();
  }

  /// The next frame that is not before `seconds`.
  [[nodiscard]] Image frame_at(FrameSource& source, double seconds) const {
    constexpr double kRounding = 1e-6;
    while (std::optional<TimedFrame> frame = source.next()) {
      progress_.throw_if_cancelled();
      if (frame->seconds >= seconds - kRounding) return std::move(frame->image);
    }
    leave_out("it gave fewer frames when it was read again; it may be changing");
  }

  const VideoPreparationOptions& options_;
  Progress& progress_;
  std::unique_ptr<pose::PoseSource> poses_;
  bool loading_detector_ = false;
  std::string settings_;
  std::map<fs::path, PreparedVideo> prepared_;  ///< by file, whose name follows from the content
  std::map<fs::path, fs::path> missing_;        ///< videos by the same
};

}  // namespace

void VideoPreparationOptions::check() const {
  constexpr double kSlowest = 0.1;
  constexpr double kFastest = 1000;
  if (!(segments.frame_rate >= kSlowest && segments.frame_rate <= kFastest)) {
    throw Error(ErrorKind::kUsage, "the frame_rate of videos to train on must lie between {} and {}, but is {}",
                kSlowest, kFastest, segments.frame_rate);
  }
  if (paths.empty()) throw Error(ErrorKind::kUsage, "the list of videos to train on is empty; name videos or folders");
}

std::vector<PreparedVideo> prepare_videos(const VideoPreparationOptions& options, const pose::PoseSourceMaker& poses,
                                          Progress& progress) {
  options.check();
  if (!poses) {
    throw Error(ErrorKind::kEnvironment,
                "this program cannot look for people in videos; train on procedural people, or with the whole program");
  }
  return Preparation(options, poses(progress), progress).run();
}

}  // namespace unianimate::training
