#include "unianimate/media/picture_source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/media/picture_names.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

struct FolderContent {
  std::vector<fs::path> pictures;
  std::int64_t other_files = 0;
};

FolderContent list_folder(const fs::path& folder) {
  FolderContent content;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    if (named_as(entry->path()) == NamedAs::kPicture) {
      content.pictures.push_back(entry->path());
    } else {
      ++content.other_files;
    }
  }
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "the folder {} cannot be read: {}", printable(folder.string()),
                problem.message());
  }
  if (content.pictures.empty()) {
    throw Error(ErrorKind::kInput, "the folder {} holds no pictures; put JPEG, PNG or WebP pictures there",
                printable(folder.string()));
  }
  std::ranges::sort(content.pictures, natural_less, [](const fs::path& path) { return path.filename().string(); });
  return content;
}

class PictureSource final : public FrameSource {
 public:
  // The first picture gives the size, so that one must be readable.
  PictureSource(std::vector<fs::path> pictures, std::string description, const FrameSourceOptions& options)
      : pictures_(std::move(pictures)), rate_(options.folder_frames_per_second), limits_(options.limits) {
    const ImageHeader header = read_image_header(pictures_.front(), limits_);
    while (next_ < pictures_.size() && seconds_of(next_) < options.start_seconds) ++next_;
    end_ = next_;
    while (end_ < pictures_.size() && !(options.end_seconds && seconds_of(end_) >= *options.end_seconds)) ++end_;
    info_.width = header.width;
    info_.height = header.height;
    info_.frames_per_second = rate_;
    info_.frame_count = static_cast<std::int64_t>(end_ - next_);
    info_.description = std::move(description);
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
    if (unreadable_ == 0) return "";
    return fmt::format("{} of the folder's pictures cannot be read, first: {}", unreadable_, first_reason_);
  }

 private:
  [[nodiscard]] double seconds_of(std::size_t index) const { return static_cast<double>(index) / rate_; }

  // One damaged picture among many does not end the work: nothing is returned, and trouble() tells.
  std::optional<Image> read(const fs::path& path) {
    try {
      return read_image(path, limits_);
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
};

}  // namespace

std::unique_ptr<FrameSource> open_picture_folder(const fs::path& folder, const FrameSourceOptions& options) {
  FolderContent content = list_folder(folder);
  std::string description = fmt::format("folder of {} pictures", content.pictures.size());
  if (content.other_files > 0) description += fmt::format(", {} other files ignored", content.other_files);
  return std::make_unique<PictureSource>(std::move(content.pictures), std::move(description), options);
}

std::unique_ptr<FrameSource> open_picture(const fs::path& path, const FrameSourceOptions& options) {
  return std::make_unique<PictureSource>(std::vector{path}, "single picture", options);
}

}  // namespace unianimate
