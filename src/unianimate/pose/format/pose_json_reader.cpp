#include "unianimate/pose/format/pose_json_reader.h"

namespace unianimate::pose {

namespace {

constexpr double kMaxSeconds = 1e9;
constexpr double kMaxRatio = 1e9;

void check_version(const JsonField& document) {
  constexpr int kAnyVersion = 1'000'000;
  if (const auto format = document.find("format"); !format || format->text() != kPoseFormat) {
    throw document.refusal("its \"format\" is not \"{}\"; this is no file of poses of this program", kPoseFormat);
  }
  const auto version = document.at("version").integer(1, kAnyVersion);
  if (version > kPoseFormatVersion) {
    throw document.refusal(
        "it has version {} of the format and this program reads versions up to {}; use a newer version of this program",
        version, kPoseFormatVersion);
  }
}

void read_keypoints(const JsonField& field, Keypoints& keypoints) {
  constexpr std::size_t kExpected = kKeypoints * kPointNumbers;
  const std::vector<double> numbers = field.numbers(kMaxCoordinate);
  if (numbers.size() != kExpected) {
    throw field.refusal("expected {} numbers, x, y and score of {} points, found {}", kExpected, kKeypoints,
                        numbers.size());
  }
  for (std::size_t i = 0; i < kKeypoints; ++i) {
    const double* point = &numbers[i * kPointNumbers];
    if (point[2] < 0 || point[2] > 1) {
      throw field.refusal("point {} has score {}, expected one from 0 to 1", i, point[2]);
    }
    keypoints[i] = known_point(point[0], point[1], point[2]);
  }
}

AlignmentReport read_report(const JsonField& field) {
  AlignmentReport report;
  report.method = field.at("method").text();
  report.scale_x = field.at("scale_x").number(-kMaxRatio, kMaxRatio);
  report.scale_y = field.at("scale_y").number(-kMaxRatio, kMaxRatio);
  const JsonField bones = field.at("bones");
  for (std::size_t i = 0; i < bones.size(); ++i) {
    const JsonField bone = bones.element(i, fmt::format("{}, bone {}", field.place(), i));
    report.bones.push_back(
        {bone.at("bone").text(), bone.at("ratio").number(-kMaxRatio, kMaxRatio), bone.at("source").text()});
  }
  const JsonField missing = field.at("missing_frames");
  for (std::size_t i = 0; i < missing.size(); ++i) {
    report.missing_frames.push_back(
        missing.element(i, fmt::format("{}, entry {}", missing.place(), i)).integer(0, kMaxFrames));
  }
  const JsonField notes = field.at("notes");
  for (std::size_t i = 0; i < notes.size(); ++i) {
    report.notes.push_back(notes.element(i, fmt::format("{}, note {}", field.place(), i)).text());
  }
  return report;
}

}  // namespace

void PoseJsonReader::add_frame(const JsonField& frame, const JsonField& document) {
  const bool first = frames_.frames().empty();
  if (first && document.find("format") && document.find("version")) check_version(document);
  PoseFrame& pose_frame = frames_.add_frame(frame);
  const JsonField seconds = frame.at("seconds");
  pose_frame.seconds = seconds.number(-kMaxSeconds, kMaxSeconds);
  if (pose_frame.seconds < seconds_) {
    throw seconds.refusal("{} is earlier than the frame before, at {}", pose_frame.seconds, seconds_);
  }
  seconds_ = pose_frame.seconds;
  const JsonField people = frame.at("people");
  for (std::size_t i = 0; i < people.size(); ++i) {
    const JsonField entry = people.element(i, fmt::format("{}, person {}", frame.place(), i));
    Person& person = frames_.add_person(entry);
    const auto track = entry.find("track");
    person.track = track ? track->integer(INT64_MIN, INT64_MAX) : static_cast<std::int64_t>(i);
    const auto filled = entry.find("filled");
    person.filled = filled && filled->truth();
    read_keypoints(entry.at("keypoints"), person.keypoints);
  }
}

Poses PoseJsonReader::finish(const JsonField& document) {
  check_version(document);
  const JsonField kind = document.at("kind");
  if (kind.text() != kDetected && kind.text() != kAligned) {
    throw kind.refusal("expected \"{}\" or \"{}\", found \"{}\"", kDetected, kAligned, printable(kind.text()));
  }
  PoseSequence poses;
  poses.width = static_cast<int>(document.at("width").integer(1, kMaxSide));
  poses.height = static_cast<int>(document.at("height").integer(1, kMaxSide));
  poses.frames_per_second = document.at("frames_per_second").number(0, kMaxFramesPerSecond);
  poses.detector = document.at("detector").text();
  poses.frames = std::move(frames_.frames());
  if (poses.frames.empty()) throw document.refusal("it holds no frames");
  if (kind.text() == kDetected) return poses;

  for (std::size_t i = 0; i < poses.frames.size(); ++i) {
    if (const std::size_t people = poses.frames[i].people.size(); people != 1) {
      throw document.refusal("frame {} has {} people, expected one in each frame of aligned poses", i, people);
    }
  }
  AlignedPoses aligned{std::move(poses), {}, read_report(document.at("alignment"))};
  read_keypoints(document.at("reference").at("keypoints"), aligned.reference);
  return aligned;
}

}  // namespace unianimate::pose
