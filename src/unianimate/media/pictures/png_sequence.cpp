#include "unianimate/media/pictures/png_sequence.h"

#include <charconv>
#include <string>

#include "unianimate/core/error.h"
#include "unianimate/core/output_folder.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

std::string frame_name(std::size_t index) {
  return fmt::format("{:04}.png", index);
}

bool has_frame_name(const fs::path& path) {
  const std::string name = path.filename().string();
  std::size_t index = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), index);
  return parsed.ec == std::errc() && name == frame_name(index);
}

bool is_frame(const fs::path& path) {
  return has_frame_name(path) && written_mark(path) == kMark;
}

/// The folder without a separator at its end, unless it holds files with names of frames that are none.
fs::path require_own(const fs::path& named) {
  fs::path folder = without_trailing_separator(named);
  std::error_code problem;
  if (!fs::exists(folder, problem)) return folder;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (!has_frame_name(entry->path()) || is_frame(entry->path())) continue;
    throw Error(ErrorKind::kUsage,
                "the folder {} holds {}, which is no frame that this program wrote and would be replaced; choose "
                "another folder for the output",
                printable(folder.string()), entry->path().filename().string());
  }
  if (!problem) return folder;
  throw Error(ErrorKind::kEnvironment, "{} could not be listed: {}", printable(folder.string()), problem.message());
}

class PngSequence final : public FrameSink {
 public:
  PngSequence(const fs::path& folder, int width, int height)
      : folder_(require_own(folder)), output_(folder_, is_frame), width_(width), height_(height) {}

  void write(const Image& frame) override {
    check_frame_size(frame, width_, height_);
    const fs::path path = output_.temporary() / frame_name(count_);
    write_file(path, encode_png(frame, kMark));
    ++count_;
  }

  void finish() override {
    check_frame_count(static_cast<std::int64_t>(count_), folder_);
    require_own(folder_);
    output_.commit();
  }

 private:
  fs::path folder_;
  OutputFolder output_;
  int width_;
  int height_;
  std::size_t count_ = 0;
};

}  // namespace

std::unique_ptr<FrameSink> open_png_sequence(const fs::path& folder, int width, int height) {
  return std::make_unique<PngSequence>(folder, width, height);
}

void check_png_sequence(const fs::path& folder) {
  const OutputFolder place(require_own(folder), is_frame);
}

}  // namespace unianimate
