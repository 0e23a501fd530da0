#include "unianimate/media/png_sequence.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/media/image_writer.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

std::string frame_name(std::size_t index) {
  return fmt::format("{:04}.png", index);
}

// Whether frame_name(index) is `name` for some index from `first` on.
bool is_frame_from(std::size_t first, const std::string& name) {
  std::size_t index = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), index);
  return parsed.ec == std::errc() && index >= first && name == frame_name(index);
}

void require(const std::error_code& problem, const fs::path& path, std::string_view action) {
  if (problem) throw Error(ErrorKind::kEnvironment, "{} could not be {}: {}", path.string(), action, problem.message());
}

bool is_folder(const fs::path& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (status.type() == fs::file_type::none) require(problem, path, "looked at");
  return fs::is_directory(status);
}

// Those numbered from `first` on.
std::vector<fs::path> list_frames(const fs::path& folder, std::size_t first) {
  std::vector<fs::path> frames;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    if (is_frame_from(first, entry->path().filename().string())) frames.push_back(entry->path());
  }
  require(problem, folder, "listed");
  return frames;
}

void refuse_frames_of_others(const fs::path& folder) {
  const std::vector<fs::path> frames = list_frames(folder, 0);
  const auto foreign = std::ranges::find_if_not(frames, is_png_frame);
  if (foreign == frames.end()) return;
  throw Error(ErrorKind::kUsage,
              "the folder {} holds {}, which is no frame that this program wrote and would be replaced; choose another "
              "folder for the output",
              printable(folder.string()), foreign->filename().string());
}

// An existing folder may be a mount point in a place that cannot be written to, so its frames wait inside it.
OutputPath place_for(const fs::path& folder) {
  if (!is_folder(folder)) return OutputPath(folder);
  refuse_frames_of_others(folder);
  return OutputPath(folder / "frames");
}

class PngSequence final : public FrameSink {
 public:
  PngSequence(const fs::path& folder, int width, int height)
      : folder_(without_trailing_separator(folder)), output_(place_for(folder_)), width_(width), height_(height) {
    std::error_code problem;
    const bool made = fs::create_directory(output_.temporary(), problem);
    if (!made && !problem) problem = std::make_error_code(std::errc::file_exists);
    require(problem, output_.temporary(), "made");
  }

  void write(const Image& frame) override {
    check_frame_size(frame, width_, height_);
    write_file_atomically(output_.temporary() / frame_name(count_), encode_png_frame(frame));
    ++count_;
  }

  void finish() override {
    check_frame_count(static_cast<std::int64_t>(count_), folder_);
    if (output_.final_path() == folder_) {
      output_.commit();
    } else {
      replace_frames();
    }
  }

 private:
  void replace_frames() {
    refuse_frames_of_others(folder_);
    std::error_code problem;
    for (std::size_t i = 0; i < count_; ++i) {
      fs::rename(output_.temporary() / frame_name(i), folder_ / frame_name(i), problem);
      require(problem, folder_ / frame_name(i), "replaced");
    }
    for (const fs::path& frame : list_frames(folder_, count_)) {
      fs::remove(frame, problem);
      require(problem, frame, "removed");
    }
  }

  fs::path folder_;
  OutputPath output_;
  int width_;
  int height_;
  std::size_t count_ = 0;
};

}  // namespace

std::unique_ptr<FrameSink> open_png_sequence(const fs::path& folder, int width, int height) {
  return std::make_unique<PngSequence>(folder, width, height);
}

void check_png_sequence(const fs::path& folder) {
  place_for(without_trailing_separator(folder));
}

}  // namespace unianimate
