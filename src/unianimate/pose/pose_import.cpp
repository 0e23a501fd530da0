#include "unianimate/pose/pose_import.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "unianimate/pose/openpose_reader.h"
#include "unianimate/pose/pose_json_reader.h"

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
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return ::strverscmp(a.c_str(), b.c_str()) < 0; });
  return files;
}

PoseSequence import_folder(const fs::path& folder, const ImportOptions& options) {
  const std::vector<fs::path> files = list_files(folder);
  if (files.empty()) {
    throw Error(ErrorKind::kInput, "the folder {} holds no JSON files, so no poses", printable(folder.string()));
  }
  OpenPoseReader reader;
  for (const fs::path& file : files) {
    const auto refuse = [](FrameLayout, const JsonField& frame, const JsonField&) {
      throw frame.refusal("in a folder each file holds one frame; import this file by itself");
    };
    const JsonDocument document = read_json(file, refuse);
    reader.add_frame(document.root());
  }
  const nlohmann::json nothing;
  return reader.finish(options, "openpose", JsonField(nothing, printable(folder.string())));
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
