#include "unianimate/pose/format/openpose_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/core/output_folder.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/pose/format/text_output.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

/// How an export of ours begins, by which written_mark() knows an earlier one.
constexpr std::string_view kBeginning = "{\"version\":1.3,\"generator\":\"unianimate\",";
constexpr std::string_view kSuffix = "_keypoints.json";

enum class Scores { kKept, kOne };

void append_point(std::string& text, const Keypoint& point, Scores scores) {
  constexpr double kThousandths = 1e3;
  constexpr double kMillionths = 1e6;
  const auto rounded = [](double value, double parts) { return std::round(value * parts) / parts; };
  if (!std::isfinite(point.at.x) || !std::isfinite(point.at.y) || !std::isfinite(point.score)) {
    throw Error(ErrorKind::kInput, "the poses cannot be written, because a point is at {}, {} with score {}",
                point.at.x, point.at.y, point.score);
  }
  if (text.back() != '[') text += ',';
  if (!point.seen()) {
    text += "0,0,0";
    return;
  }
  text += fmt::format("{},{},{}", rounded(point.at.x, kThousandths), rounded(point.at.y, kThousandths),
                      scores == Scores::kOne ? 1 : rounded(point.score, kMillionths));
}

std::string list_of(std::span<const Keypoint> points, Scores scores) {
  std::string text = "[";
  for (const Keypoint& point : points) append_point(text, point, scores);
  return text += ']';
}

std::vector<Keypoint> body_25(const Keypoints& points) {
  const Keypoint& right = points[kRightHip];
  const Keypoint& left = points[kLeftHip];
  std::vector<Keypoint> body(points.begin(), points.begin() + kFace);
  body.insert(body.begin() + kRightHip, {middle(right.at, left.at), std::min(right.score, left.score)});
  return body;
}

std::vector<Keypoint> face_with_pupils(const Keypoints& points) {
  std::vector<Keypoint> face(points.begin() + kFace, points.begin() + kLeftHand);
  face.insert(face.end(), {points[kRightEye], points[kLeftEye]});
  return face;
}

std::span<const Keypoint> hand(const Keypoints& points, std::size_t first) {
  return std::span(points).subspan(first, kHandPoints);
}

std::string openpose_frame(const PoseSequence& poses, const PoseFrame& frame) {
  std::string text =
      fmt::format("{}\"canvas_width\":{},\"canvas_height\":{},\"people\":[", kBeginning, poses.width, poses.height);
  std::string_view separator;
  for (const Person& person : frame.people) {
    const Keypoints& points = person.keypoints;
    text += fmt::format(
        "{}{{\"person_id\":[{}],\"pose_keypoints_2d\":{},\"face_keypoints_2d\":{},\"hand_left_keypoints_2d\":{},"
        "\"hand_right_keypoints_2d\":{},\"pose_keypoints_3d\":[],\"face_keypoints_3d\":[],"
        "\"hand_left_keypoints_3d\":[],\"hand_right_keypoints_3d\":[]}}",
        separator, person.track, list_of(body_25(points), Scores::kKept),
        list_of(face_with_pupils(points), Scores::kKept), list_of(hand(points, kLeftHand), Scores::kKept),
        list_of(hand(points, kRightHand), Scores::kKept));
    separator = ",";
  }
  return text + "]}\n";
}

/// Null where no point is seen.
std::string comfyui_part(std::span<const Keypoint> points) {
  const bool seen = std::ranges::any_of(points, &Keypoint::seen);
  return seen ? list_of(points, Scores::kOne) : "null";
}

std::string comfyui_person(const Keypoints& points) {
  const std::span all(points);
  const std::span face = all.subspan(kFace, kFacePoints);
  return fmt::format(
      "{{\"pose_keypoints_2d\":{},\"foot_keypoints_2d\":{},\"face_keypoints_2d\":{},\"hand_left_keypoints_2d\":{},"
      "\"hand_right_keypoints_2d\":{}}}",
      list_of(all.first(kBodyPoints), Scores::kOne), comfyui_part(all.subspan(kBodyPoints, kFace - kBodyPoints)),
      std::ranges::any_of(face, &Keypoint::seen) ? list_of(face_with_pupils(points), Scores::kOne) : "null",
      comfyui_part(hand(points, kLeftHand)), comfyui_part(hand(points, kRightHand)));
}

bool is_export(const fs::path& path) {
  return path.filename().string().ends_with(kSuffix) && is_own_file(path);
}

void refuse_files_of_others(const fs::path& folder) {
  std::error_code problem;
  if (!fs::exists(folder, problem)) return;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (is_export(entry->path()) || OutputFolder::is_left_behind(entry->path())) continue;
    throw Error(ErrorKind::kUsage,
                "the folder {} holds {}, which this program did not write there; choose another folder for the poses",
                printable(folder.string()), printable(entry->path().filename().string()));
  }
  if (problem) {
    throw Error(ErrorKind::kEnvironment, "the folder {} cannot be read: {}", printable(folder.string()),
                problem.message());
  }
}

}  // namespace

void check_openpose_folder(const fs::path& folder) {
  refuse_files_of_others(without_trailing_separator(folder));
  const OutputFolder trial(folder, is_export);
}

void write_openpose(const fs::path& folder, const PoseSequence& poses) {
  const fs::path place = without_trailing_separator(folder);
  refuse_files_of_others(place);
  OutputFolder output(place, is_export);
  for (std::size_t i = 0; i < poses.frames.size(); ++i) {
    const std::string name = fmt::format("{}_{:012}{}", place.filename().string(), i, kSuffix);
    write_text(output.temporary() / name, [&](std::ostream& out) { out << openpose_frame(poses, poses.frames[i]); });
  }
  refuse_files_of_others(place);
  output.commit();
}

void write_comfyui(std::ostream& out, const PoseSequence& poses) {
  out << '[';
  for (std::size_t i = 0; i < poses.frames.size(); ++i) {
    out << (i == 0 ? "\n" : ",\n") << "{\"people\":[";
    std::string_view separator;
    for (const Person& person : poses.frames[i].people) {
      out << separator << comfyui_person(person.keypoints);
      separator = ",";
    }
    out << fmt::format("],\"canvas_height\":{},\"canvas_width\":{}}}", poses.height, poses.width);
  }
  out << "\n]\n";
}

void write_comfyui(const fs::path& path, const PoseSequence& poses) {
  write_text_atomically(path, [&](std::ostream& out) { write_comfyui(out, poses); });
}

}  // namespace unianimate::pose
