#include "unianimate/pose/format/pose_import.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "unianimate/core/natural_order.h"
#include "unianimate/pose/format/openpose_reader.h"
#include "unianimate/pose/format/pose_json_reader.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

/// Hands frames to the reader whose they are, by where the document keeps them.
class AnyReader {
 public:
  [[nodiscard]] FrameHandler handler() {
    return [this](FrameLayout layout, const JsonField& frame, const JsonField& document) {
      if (layout == FrameLayout::kMember) {
        ours_.add_frame(frame, document);
      } else {
        theirs_.add_frame(frame);
      }
    };
  }

  [[nodiscard]] PoseSequence finish(const JsonDocument& document, const ImportOptions& options) {
    const JsonField root = document.root();
    if (document.layout == FrameLayout::kList) return theirs_.finish(options, "comfyui", root);
    if (document.layout == FrameLayout::kNone && !root.find("format")) {
      theirs_.add_frame(root);
      return theirs_.finish(options, "openpose", root);
    }
    Poses poses = ours_.finish(root);
    if (auto* aligned = std::get_if<AlignedPoses>(&poses)) return std::move(aligned->motion);
    return std::get<PoseSequence>(std::move(poses));
  }

 private:
  PoseJsonReader ours_;
  OpenPoseReader theirs_;
};

/// Those that OpenPose names as it does, else all that are called JSON, in order.
std::vector<fs::path> list_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".json") && !name.starts_with('.')) files.push_back(entry->path());
  }
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "the folder {} cannot be read: {}", printable(folder.string()),
                problem.message());
  }
  const auto others = std::partition(files.begin(), files.end(), [](const fs::path& file) {
    return file.filename().string().ends_with("_keypoints.json");
  });
  if (others != files.begin()) files.erase(others, files.end());
  std::ranges::sort(files, natural_less, [](const fs::path& file) { return file.filename().string(); });
  return files;
}

/// A file of a folder and its number.
using NumberedFile = std::pair<std::int64_t, fs::path>;

/// In the order of their numbers, of which none may be there twice; none where the names have no numbers.
std::vector<NumberedFile> by_number(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.stem().string());
  const auto numbers = numbers_of_names(names);
  std::vector<NumberedFile> result;
  if (!numbers) return result;
  for (std::size_t i = 0; i < files.size(); ++i) result.emplace_back((*numbers)[i], files[i]);
  std::ranges::stable_sort(result, {}, &NumberedFile::first);
  const auto twice = std::ranges::adjacent_find(result, {}, &NumberedFile::first);
  if (twice != result.end()) {
    throw Error(
        ErrorKind::kInput,
        "{} and {} are both numbered {}, and each number is one frame; keep every motion in a folder of its own",
        printable(twice->second.string()), printable(std::next(twice)->second.filename().string()), twice->first);
  }
  return result;
}

/// What the numbers leave out: some programs write no file for a frame in which nobody is seen.
NumberGaps gaps_of(const std::vector<NumberedFile>& files, const std::string& folder) {
  constexpr std::int64_t kMostMissing = 100'000;
  std::vector<std::int64_t> numbers;
  for (const NumberedFile& file : files) numbers.push_back(file.first);
  NumberGaps gaps = gaps_between(numbers);
  if (gaps.count <= kMostMissing) return gaps;
  throw Error(ErrorKind::kInput,
              "the numbers of the files in {} leave out {} frames ({}), and at most {} are filled in; number the files "
              "anew, or keep every motion in a folder of its own",
              folder, gaps.count, gaps.text, kMostMissing);
}

void tell_gaps(const NumberGaps& gaps, const std::string& folder, PoseSequence& poses) {
  if (gaps.step > 1) {
    poses.notes.push_back(fmt::format(
        "the numbers of the files in {} count by {}, and each file is taken for the next frame", folder, gaps.step));
  }
  if (gaps.count == 0) return;
  const bool one = gaps.count == 1;
  poses.notes.push_back(fmt::format("the files in {} leave out {} {}, taken for {} in which nobody is seen", folder,
                                    one ? "number" : "the numbers", gaps.text, one ? "a frame" : "frames"));
}

PoseSequence import_folder(const fs::path& folder, const ImportOptions& options) {
  const std::string name = printable(folder.string());
  const std::vector<fs::path> files = list_files(folder);
  if (files.empty()) throw Error(ErrorKind::kInput, "the folder {} holds no JSON files, so no poses", name);
  OpenPoseReader reader;
  const auto add = [&reader](const fs::path& file) {
    const auto refuse = [](FrameLayout, const JsonField& frame, const JsonField&) {
      throw frame.refusal("in a folder each file holds one frame; import this file by itself");
    };
    const JsonDocument document = read_json(file, refuse);
    reader.add_frame(document.root());
  };
  const nlohmann::json nothing;
  const JsonField place(nothing, name);
  const std::vector<NumberedFile> numbered = by_number(files);
  const NumberGaps gaps = gaps_of(numbered, name);
  for (std::size_t i = 0; i < numbered.size(); ++i) {
    if (i > 0) reader.add_empty_frames(gaps.between(numbered[i - 1].first, numbered[i].first), place);
    add(numbered[i].second);
  }
  if (numbered.empty()) std::ranges::for_each(files, add);
  PoseSequence poses = reader.finish(options, "openpose", place);
  tell_gaps(gaps, name, poses);
  return poses;
}

}  // namespace

void ImportOptions::check() const {
  const bool known = width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide;
  if (!known && (width != 0 || height != 0)) {
    throw Error(ErrorKind::kUsage,
                "width and height of imported poses must both be from 1 to {}, or both 0 for unknown, found {} and {}",
                kMaxSide, width, height);
  }
  if (!(frames_per_second >= kMinFramesPerSecond && frames_per_second <= kMaxFramesPerSecond)) {
    throw Error(ErrorKind::kUsage, "the frame rate of imported poses must be from {} to {}, found {}",
                kMinFramesPerSecond, kMaxFramesPerSecond, frames_per_second);
  }
}

PoseSequence import_poses(const fs::path& path, const ImportOptions& options) {
  options.check();
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return import_folder(path, options);
  AnyReader reader;
  const JsonDocument document = read_json(path, reader.handler());
  return reader.finish(document, options);
}

PoseSequence parse_any_poses(std::string_view text, const std::string& name, const ImportOptions& options) {
  options.check();
  AnyReader reader;
  const JsonDocument document = read_json(text, name, reader.handler());
  return reader.finish(document, options);
}

}  // namespace unianimate::pose
