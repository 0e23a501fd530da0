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

// "frames/" -> "frames"
fs::path without_trailing_separator(const fs::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

// An existing folder may be a mount point in a place that cannot be written to, so its frames wait inside it.
OutputPath place_for(const fs::path& folder) {
  return OutputPath(fs::is_directory(folder) ? folder / "frames" : folder);
}

class PngSequence final : public FrameSink {
 public:
  PngSequence(const fs::path& folder, int width, int height)
      : folder_(without_trailing_separator(folder)), output_(place_for(folder_)), width_(width), height_(height) {
    std::error_code problem;
    fs::create_directory(output_.temporary(), problem);
    require(problem, output_.temporary(), "made");
  }

  void write(const Image& frame) override {
    check_frame_size(frame, width_, height_);
    write_png(output_.temporary() / frame_name(count_), frame);
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
    std::error_code problem;
    for (std::size_t i = 0; i < count_; ++i) {
      fs::rename(output_.temporary() / frame_name(i), folder_ / frame_name(i), problem);
      require(problem, folder_ / frame_name(i), "replaced");
    }
    std::vector<fs::path> stale;
    for (const auto& entry : fs::directory_iterator(folder_, problem)) {
      if (is_frame_from(count_, entry.path().filename().string())) stale.push_back(entry.path());
    }
    require(problem, folder_, "listed");
    for (const fs::path& frame : stale) {
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
