// Any text as a file of poses: what is understood must be sound and survive being written.
#include <cmath>
#include <optional>
#include <sstream>

#include "unianimate/core/error.h"
#include "unianimate/pose/format/openpose_json.h"
#include "unianimate/pose/format/pose_import.h"
#include "unianimate/pose/format/pose_json.h"

namespace {

using namespace unianimate::pose;  // NOLINT(google-build-using-namespace)

void require(bool sound) {
  if (!sound) __builtin_trap();
}

void check(const PoseSequence& poses) {
  require(poses.width > 0 && poses.height > 0 && !poses.frames.empty() && std::isfinite(poses.frames_per_second));
  for (const PoseFrame& frame : poses.frames) {
    require(std::isfinite(frame.seconds));
    for (const Person& person : frame.people) {
      for (const Keypoint& keypoint : person.keypoints) {
        require(std::isfinite(keypoint.at.x) && std::isfinite(keypoint.at.y));
        require(keypoint.score >= 0 && keypoint.score <= 1);
      }
    }
  }
  std::ostringstream exported;
  write_comfyui(exported, poses);
}

template <typename Source>
std::string written(const Source& poses) {
  std::ostringstream text;
  write_poses(text, poses);
  return text.str();
}

void check_round_trip(const Poses& poses) {
  const auto write = [](const auto& some) { return written(some); };
  const std::string text = std::visit(write, poses);
  require(std::visit(write, parse_poses(text, "written")) == text);
}

/// Nothing where `parse` refuses the text, as it should most.
template <typename Parse>
auto accepted(const Parse& parse) -> std::optional<decltype(parse())> {
  try {
    return parse();
  } catch (const unianimate::Error&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto poses = accepted([&] { return parse_poses(text, "fuzz"); })) check_round_trip(*poses);
  const ImportOptions options{.width = 512, .height = 768};
  if (const auto poses = accepted([&] { return parse_any_poses(text, "fuzz", options); })) {
    check(*poses);
    check_round_trip(*poses);
  }
  return 0;
}
