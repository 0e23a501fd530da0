#include "unianimate/pose/format/pose_json.h"

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>
#include <utility>

#include "unianimate/pose/format/pose_json_reader.h"
#include "unianimate/pose/format/text_output.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

using json = nlohmann::ordered_json;

double finite(double number, std::string_view what) {
  if (!std::isfinite(number)) {
    throw Error(ErrorKind::kInput, "the poses cannot be written, because {} is not a finite number", what);
  }
  return number;
}

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void append_keypoints(std::string& text, const Keypoints& keypoints) {
  char separator = '[';
  for (const Keypoint& keypoint : keypoints) {
    for (const double number : {keypoint.at.x, keypoint.at.y, keypoint.score}) {
      if (!(std::abs(number) <= kMaxCoordinate)) {
        throw Error(ErrorKind::kInput, "the poses cannot be written, because a point is at {}, {} with score {}",
                    keypoint.at.x, keypoint.at.y, keypoint.score);
      }
      fmt::format_to(std::back_inserter(text), "{}{}", separator, number);
      separator = ',';
    }
  }
  text += ']';
}

void write_header(std::ostream& out, const PoseSequence& poses, std::string_view kind) {
  const json header{{"format", kPoseFormat},
                    {"version", kPoseFormatVersion},
                    {"kind", kind},
                    {"detector", poses.detector},
                    {"width", poses.width},
                    {"height", poses.height},
                    {"frames_per_second", finite(poses.frames_per_second, "the frame rate")}};
  std::string text = text_of(header);
  text.back() = ',';
  out << text << '\n';
}

void write_alignment(std::ostream& out, const AlignedPoses& poses) {
  std::string reference = "\"reference\":{\"keypoints\":";
  append_keypoints(reference, poses.reference);
  json bones = json::array();
  for (const BoneRatio& bone : poses.report.bones) {
    bones.push_back({{"bone", bone.bone}, {"ratio", finite(bone.ratio, "a bone's ratio")}, {"source", bone.source}});
  }
  const json report{{"method", poses.report.method},
                    {"scale_x", finite(poses.report.scale_x, "the scale")},
                    {"scale_y", finite(poses.report.scale_y, "the scale")},
                    {"bones", bones},
                    {"missing_frames", poses.report.missing_frames},
                    {"notes", poses.report.notes}};
  out << reference << "},\n\"alignment\":" << text_of(report) << ",\n";
}

void write_frames(std::ostream& out, const std::vector<PoseFrame>& frames) {
  out << "\"frames\":[";
  std::string line;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    line = fmt::format("{}\n{{\"seconds\":{},\"people\":[", i == 0 ? "" : ",", finite(frames[i].seconds, "a time"));
    std::string_view separator;
    for (const Person& person : frames[i].people) {
      fmt::format_to(std::back_inserter(line), "{}{{\"track\":{},\"filled\":{},\"keypoints\":", separator, person.track,
                     person.filled);
      append_keypoints(line, person.keypoints);
      line += '}';
      separator = ",";
    }
    out << line << "]}";
  }
  out << "\n]}\n";
}

FrameHandler frames_into(PoseJsonReader& reader) {
  return [&reader](FrameLayout layout, const JsonField& frame, const JsonField& document) {
    if (layout == FrameLayout::kMember) reader.add_frame(frame, document);
  };
}

}  // namespace

void write_poses(std::ostream& out, const PoseSequence& poses) {
  write_header(out, poses, kDetected);
  write_frames(out, poses.frames);
}

void write_poses(std::ostream& out, const AlignedPoses& poses) {
  write_header(out, poses.motion, kAligned);
  write_alignment(out, poses);
  write_frames(out, poses.motion.frames);
}

void write_poses(const fs::path& path, const PoseSequence& poses) {
  write_text_atomically(path, [&](std::ostream& out) { write_poses(out, poses); });
}

void write_poses(const fs::path& path, const AlignedPoses& poses) {
  write_text_atomically(path, [&](std::ostream& out) { write_poses(out, poses); });
}

Poses read_poses(const fs::path& path) {
  PoseJsonReader reader;
  const JsonDocument document = read_json(path, frames_into(reader));
  return reader.finish(document.root());
}

std::optional<AlignedPoses> read_aligned_poses(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  try {
    Poses poses = read_poses(path);
    if (auto* aligned = std::get_if<AlignedPoses>(&poses)) return std::move(*aligned);
  } catch (const Error&) {
    // Whoever reads it as other poses says what is wrong with it.
  }
  return std::nullopt;
}

Poses parse_poses(std::string_view text, const std::string& name) {
  PoseJsonReader reader;
  const JsonDocument document = read_json(text, name, frames_into(reader));
  return reader.finish(document.root());
}

}  // namespace unianimate::pose
