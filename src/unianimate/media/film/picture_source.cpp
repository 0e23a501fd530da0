#include "unianimate/media/film/picture_source.h"
#include "unianimate/media/film/open_frame_source.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/media/pictures/animation.h"
#include "unianimate/media/pictures/picture_names.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

struct FolderContent {
  std::vector<fs::path> pictures;
  /// Without hidden ones; in no order.
  std::vector<fs::path> other_files;
};

FolderContent list_folder(const fs::path& folder) {
  FolderContent content;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    if (named_as(entry->path()) == NamedAs::kPicture) {
      content.pictures.push_back(entry->path());
    } else if (!entry->path().filename().string().starts_with('.')) {
      content.other_files.push_back(entry->path());
    }
  }
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "the folder {} cannot be read: {}", printable(folder.string()),
                problem.message());
  }
  if (content.pictures.empty()) {
    throw Error(ErrorKind::kInput, "the folder {} holds no pictures; put JPEG or PNG pictures there",
                printable(folder.string()));
  }
  std::ranges::sort(content.pictures, natural_less, [](const fs::path& path) { return path.filename().string(); });
  return content;
}

/// A sentence on numbers that the names of pictures, in order, leave out; empty where there are none.
std::string note_on_numbers(const fs::path& folder, const std::vector<fs::path>& pictures) {
  std::vector<std::string> names;
  for (const fs::path& picture : pictures) names.push_back(picture.stem().string());
  std::optional<std::vector<std::int64_t>> numbers = numbers_of_names(names);
  if (!numbers) return "";
  std::ranges::sort(*numbers);
  if (std::ranges::adjacent_find(*numbers) != numbers->end()) return "";
  const NumberGaps gaps = gaps_between(*numbers);
  if (gaps.count == 0) return "";
  return fmt::format("the folder {} has no pictures numbered {}, and what follows comes sooner",
                     printable(folder.string()), gaps.text);
}

class PictureSource final : public FrameSource {
 public:
  // The first picture gives the size, so that one must be readable. `path`: of the folder, or the one picture.
  PictureSource(const fs::path& path, std::vector<fs::path> pictures, const FrameSourceOptions& options)
      : pictures_(std::move(pictures)), rate_(options.folder_frames_per_second), limits_(options.limits) {
    while (next_ < pictures_.size() && seconds_of(next_) < options.start_seconds) ++next_;
    end_ = next_;
    while (end_ < pictures_.size() && !(options.end_seconds && seconds_of(end_) >= *options.end_seconds)) ++end_;
    std::tie(info_.width, info_.height) = size_of(pictures_.front());
    info_.frames_per_second = rate_;
    std::vector<double> seconds(pictures_.size());
    for (std::size_t i = 0; i < seconds.size(); ++i) seconds[i] = seconds_of(i);
    info_.seconds = times_in_part(path, options, seconds, rate_);
    info_.frame_count = std::ssize(info_.seconds);
  }

  void describe(std::string description, std::vector<std::string> notes) {
    info_.description = std::move(description);
    info_.notes = std::move(notes);
  }

  [[nodiscard]] const FrameSourceInfo& info() const override { return info_; }

  std::optional<TimedFrame> next() override {
    while (next_ < end_) {
      const std::size_t index = next_++;
      std::optional<Image> image = read(pictures_[index]);
      if (!image) continue;
      check_size(pictures_[index], *image);
      return TimedFrame{std::move(*image), seconds_of(index)};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string trouble() const override {
    std::vector<std::string> parts;
    if (unreadable_ > 0) {
      parts.push_back(fmt::format("{} of the folder's pictures cannot be read, first: {}", unreadable_, first_reason_));
    }
    if (animated_ > 0) {
      parts.push_back(
          fmt::format("{} of the folder's pictures are animated, first {}; the first picture of each is taken",
                      animated_, first_animated_));
    }
    return fmt::format("{}", fmt::join(parts, "; "));
  }

 private:
  [[nodiscard]] double seconds_of(std::size_t index) const { return static_cast<double>(index) / rate_; }

  [[nodiscard]] std::unique_ptr<FrameSource> open_animation(const fs::path& path) const {
    return open_frame_source(path, {.limits = limits_});
  }

  [[nodiscard]] std::pair<int, int> size_of(const fs::path& path) const {
    if (is_animation(path)) {
      const FrameSourceInfo info = open_animation(path)->info();
      return {info.width, info.height};
    }
    const ImageHeader header = read_image_header(path, limits_);
    return {header.width, header.height};
  }

  // One damaged picture among many does not end the work: nothing is returned, and trouble() tells.
  std::optional<Image> read(const fs::path& path) {
    try {
      if (!is_animation(path)) return read_image(path, limits_);
      if (animated_++ == 0) first_animated_ = printable(path.filename().string());
      if (std::optional<TimedFrame> first = open_animation(path)->next()) return std::move(first->image);
      throw Error(ErrorKind::kInput, "{} has no first picture", printable(path.string()));
    } catch (const Error& problem) {
      if (problem.kind() != ErrorKind::kInput || pictures_.size() == 1) throw;
      if (unreadable_++ == 0) first_reason_ = problem.what();
      return std::nullopt;
    }
  }

  void check_size(const fs::path& path, const Image& image) const {
    if (image.width == info_.width && image.height == info_.height) return;
    throw Error(
        ErrorKind::kInput,
        "the pictures of a folder must be of one size, but {} is {}×{} pixels and {} is {}×{}; scale them alike",
        printable(pictures_.front().string()), info_.width, info_.height, printable(path.string()), image.width,
        image.height);
  }

  std::vector<fs::path> pictures_;
  double rate_;
  ReadLimits limits_;
  FrameSourceInfo info_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  std::int64_t unreadable_ = 0;
  std::string first_reason_;
  std::int64_t animated_ = 0;
  std::string first_animated_;
};

}  // namespace

std::unique_ptr<FrameSource> open_picture_folder(const fs::path& folder, const FrameSourceOptions& options) {
  FolderContent content = list_folder(folder);
  const std::vector<fs::path>& others = content.other_files;
  std::string description = fmt::format("folder of {} pictures", content.pictures.size());
  std::vector<std::string> notes;
  if (!others.empty()) {
    description += fmt::format(", {} other files ignored", others.size());
    notes.push_back(fmt::format("{} passed over in {}, by the name no picture that is read: {}{}",
                                others.size() == 1 ? "a file is" : fmt::format("{} files are", others.size()),
                                printable(folder.string()), printable(std::ranges::min(others).filename().string()),
                                others.size() == 1 ? "" : ", …"));
  }
  if (std::string note = note_on_numbers(folder, content.pictures); !note.empty()) notes.push_back(std::move(note));
  auto source = std::make_unique<PictureSource>(folder, std::move(content.pictures), options);
  source->describe(std::move(description), std::move(notes));
  return source;
}

std::unique_ptr<FrameSource> open_picture(const fs::path& path, const FrameSourceOptions& options) {
  auto source = std::make_unique<PictureSource>(path, std::vector{path}, options);
  source->describe("single picture",
                   {fmt::format("{} is a still picture, so the motion is one frame{}", printable(path.string()),
                                has_more_pages(path) ? "; only the first of its pages is read" : "")});
  return source;
}

}  // namespace unianimate
