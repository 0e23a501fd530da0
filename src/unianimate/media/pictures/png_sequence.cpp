#include "unianimate/media/pictures/png_sequence.h"

#include <string>

#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/core/output_folder.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

constexpr int kFewestDigits = 4;

std::string frame_name(std::size_t index, int digits) {
  return fmt::format("{:0{}}.png", index, digits);
}

/// Of a sequence of any length.
bool has_frame_name(const fs::path& path) {
  const std::string stem = path.stem().string();
  return path.extension() == ".png" && stem.size() >= std::size_t{kFewestDigits} &&
         stem.find_first_not_of("0123456789") == std::string::npos;
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
                "the folder {} holds {}, which is no frame that this program wrote and could be replaced; choose "
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
    write_file(output_.temporary() / frame_name(count_, kFewestDigits), encode_png(frame, kMark));
    ++count_;
  }

  void finish() override {
    check_frame_count(static_cast<std::int64_t>(count_), folder_);
    require_own(folder_);
    give_equal_lengths(output_.temporary(), count_);
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

void give_equal_lengths(const fs::path& folder, std::size_t frames) {
  const int digits = name_digits(static_cast<std::int64_t>(frames));
  for (std::size_t i = 0; digits > kFewestDigits && i < frames; ++i) {
    const fs::path before = folder / frame_name(i, kFewestDigits);
    std::error_code problem;
    fs::rename(before, folder / frame_name(i, digits), problem);
    if (!problem) continue;
    throw Error(ErrorKind::kEnvironment, "{} could not be renamed: {}", printable(before.string()), problem.message());
  }
}

void check_png_sequence(const fs::path& folder) {
  const OutputFolder place(require_own(folder), is_frame);
}

}  // namespace unianimate
