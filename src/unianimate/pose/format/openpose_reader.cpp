#include "unianimate/pose/format/openpose_reader.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace unianimate::pose {

namespace {

/// A number of points that a list may have, and which keypoint each becomes; points beyond those are dropped.
struct Layout {
  std::size_t points;
  std::span<const std::size_t> keypoints;
};

template <std::size_t count>
constexpr std::array<std::size_t, count> consecutive(std::size_t first) {
  std::array<std::size_t, count> indices{};
  for (std::size_t i = 0; i < count; ++i) indices[i] = first + i;
  return indices;
}

constexpr auto kCoco = consecutive<kBodyPoints>(kNose);
constexpr std::size_t kDropped = kKeypoints;
constexpr std::array<std::size_t, 25> kBody25{kNose,         kNeck,       kRightShoulder, kRightElbow,    kRightWrist,
                                              kLeftShoulder, kLeftElbow,  kLeftWrist,     kDropped,       kRightHip,
                                              kRightKnee,    kRightAnkle, kLeftHip,       kLeftKnee,      kLeftAnkle,
                                              kRightEye,     kLeftEye,    kRightEar,      kLeftEar,       kLeftBigToe,
                                              kLeftSmallToe, kLeftHeel,   kRightBigToe,   kRightSmallToe, kRightHeel};
constexpr auto kFeet = consecutive<6>(kLeftBigToe);
constexpr auto kFacial = consecutive<kFacePoints>(kFace);
constexpr auto kLeft = consecutive<kHandPoints>(kLeftHand);
constexpr auto kRight = consecutive<kHandPoints>(kRightHand);

constexpr std::size_t kFaceWithPupils = 70;
constexpr std::array<Layout, 2> kBodyLayouts{{{kCoco.size(), kCoco}, {kBody25.size(), kBody25}}};
constexpr std::array<Layout, 1> kFootLayouts{{{kFeet.size(), kFeet}}};
constexpr std::array<Layout, 2> kFaceLayouts{{{kFacial.size(), kFacial}, {kFaceWithPupils, kFacial}}};
constexpr std::array<Layout, 1> kLeftLayouts{{{kLeft.size(), kLeft}}};
constexpr std::array<Layout, 1> kRightLayouts{{{kRight.size(), kRight}}};

struct Part {
  std::string_view name;  // the field's, with _2d or without
  std::span<const Layout> layouts;
};
constexpr std::array<Part, 5> kParts{{{"pose_keypoints", kBodyLayouts},
                                      {"foot_keypoints", kFootLayouts},
                                      {"face_keypoints", kFaceLayouts},
                                      {"hand_left_keypoints", kLeftLayouts},
                                      {"hand_right_keypoints", kRightLayouts}}};

/// x, y and score of each point, as the list has them or as its lists of three have them.
std::vector<double> flat_numbers(const JsonField& list) {
  if (list.size() == 0 || !list.value().front().is_array()) return list.numbers(kMaxCoordinate);
  std::vector<double> numbers;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonField point = list.element(i, fmt::format("{}, point {}", list.place(), i));
    const std::vector<double> values = point.numbers(kMaxCoordinate);
    if (values.size() != kPointNumbers) throw point.refusal("expected x, y and score, found {} numbers", values.size());
    numbers.insert(numbers.end(), values.begin(), values.end());
  }
  return numbers;
}

/// Returns whether the person has this part. Changes nothing where it throws.
bool read_part(const JsonField& person, const Part& part, Keypoints& keypoints) {
  auto list = person.find(fmt::format("{}_2d", part.name));
  if (!list) list = person.find(part.name);
  if (!list) return false;
  const std::vector<double> numbers = flat_numbers(*list);
  if (numbers.empty()) return false;
  const auto layout =
      std::ranges::find(part.layouts, numbers.size(), [](const Layout& l) { return l.points * kPointNumbers; });
  if (layout == part.layouts.end()) {
    const bool one = part.layouts.size() == 1;
    throw list->refusal("expected x, y and score of {}{} points, found {} numbers", part.layouts.front().points,
                        one ? "" : fmt::format(" or {}", part.layouts.back().points), numbers.size());
  }
  for (std::size_t i = 0; i < layout->keypoints.size(); ++i) {
    const double* point = &numbers[i * kPointNumbers];
    const std::size_t index = layout->keypoints[i];
    if (index != kDropped) keypoints[index] = known_point(point[0], point[1], std::clamp(point[2], 0.0, 1.0));
  }
  return true;
}

/// OpenPose numbers people where it tracks them, and else writes [-1].
std::int64_t track_of(const JsonField& person, std::size_t index) {
  const auto ids = person.find("person_id");
  const bool numbered = ids && ids->value().is_array() && !ids->value().empty() &&
                        ids->value().front().is_number_unsigned() &&
                        ids->value().front().get<std::uint64_t>() <= INT64_MAX;
  return numbered ? ids->value().front().get<std::int64_t>() : static_cast<std::int64_t>(index);
}

}  // namespace

void OpenPoseReader::Group::note(const Keypoint& keypoint) {
  if (keypoint.score <= 0) return;
  const Point at = keypoint.at;
  min = std::min({min, at.x, at.y});
  max_x = std::max(max_x, at.x);
  max_y = std::max(max_y, at.y);
  coordinates += 2;
  negative += static_cast<std::size_t>(at.x < 0) + static_cast<std::size_t>(at.y < 0);
}

bool OpenPoseReader::Group::normalised() const {
  return coordinates > 0 && min >= -1 && std::max(max_x, max_y) <= 2;
}

void OpenPoseReader::add_frame(const JsonField& frame) {
  frames_.add_frame(frame);
  if (!frame.find("people") && !frame.find("animals") && !frame.value().contains("people")) {
    throw frame.refusal("it has no \"people\"; poses are read from files of this program, OpenPose and ComfyUI");
  }
  read_canvas(frame);
  const auto people = frame.find("people");
  for (std::size_t i = 0; people && i < people->size(); ++i) {
    read_person(people->element(i, fmt::format("{}, person {}", frame.place(), i)), i);
  }
}

void OpenPoseReader::add_empty_frames(std::int64_t count, const JsonField& place) {
  for (std::int64_t i = 0; i < count; ++i) frames_.add_frame(place);
}

void OpenPoseReader::Unread::add(const Error& error) {
  if (error.kind() != ErrorKind::kInput) throw error;
  if (count++ == 0) first = error.what();
}

void OpenPoseReader::read_canvas(const JsonField& frame) {
  if (!frame.find("canvas_width") && !frame.find("canvas_height")) return;
  const int width = static_cast<int>(frame.at("canvas_width").number(1, kMaxSide));
  const int height = static_cast<int>(frame.at("canvas_height").number(1, kMaxSide));
  if (width_ > 0 && (width != width_ || height != height_)) {
    throw frame.refusal("its canvas is {}x{} and that of the frames before is {}x{}; all frames must have one size",
                        width, height, width_, height_);
  }
  width_ = width;
  height_ = height;
}

void OpenPoseReader::read_person(const JsonField& person, std::size_t index) {
  Keypoints keypoints{};
  bool found = false;
  for (const Part& part : kParts) {
    try {
      found = read_part(person, part, keypoints) || found;
    } catch (const Error& error) {
      const bool is_body = &part == kParts.data();
      (is_body ? unread_people_ : unread_parts_).add(error);
      if (is_body) return;
    }
  }
  if (!found) return;
  any_person_ = true;
  frames_.add_person(person) = {.keypoints = keypoints, .track = track_of(person, index)};
  for (Group& group : groups_) {
    for (std::size_t i = group.begin; i < group.end; ++i) group.note(keypoints[i]);
  }
}

void OpenPoseReader::find_size(const ImportOptions& options, const JsonField& place) {
  if (width_ == 0) {
    width_ = options.width;
    height_ = options.height;
  }
  if (width_ > 0) return;
  double right = 1;
  double bottom = 1;
  for (const Group& group : groups_) {
    if (group.normalised()) {
      throw Error(ErrorKind::kUsage,
                  "{} has coordinates from 0 to 1 and does not tell the size of the picture; give its width and height",
                  place.place());
    }
    right = std::max(right, std::ceil(group.max_x));
    bottom = std::max(bottom, std::ceil(group.max_y));
  }
  if (right > kMaxSide || bottom > kMaxSide) {
    throw place.refusal("its points reach to {}, {}, which is no picture's size; give the width and height", right,
                        bottom);
  }
  width_ = static_cast<int>(right);
  height_ = static_cast<int>(bottom);
}

PoseSequence OpenPoseReader::finish(const ImportOptions& options, const std::string& format, const JsonField& place) {
  if (frames_.frames().empty()) throw place.refusal("it holds no frames");
  if (unread_people_.count > 0 && !any_person_) throw Error(ErrorKind::kInput, unread_people_.first);
  for (const Group& group : groups_) {
    if (group.normalised() && 4 * group.negative > group.coordinates) {
      throw place.refusal(
          "many of its coordinates are negative, as OpenPose writes them with --keypoint_scale 4; have them written in "
          "pixels, with --keypoint_scale 0");
    }
  }
  find_size(options, place);
  PoseSequence poses{width_, height_, options.frames_per_second, format, std::move(frames_.frames())};
  for (const Group& group : groups_) {
    if (!group.normalised()) continue;
    for (PoseFrame& frame : poses.frames) {
      for (Person& person : frame.people) {
        for (std::size_t i = group.begin; i < group.end; ++i) {
          Point& at = person.keypoints[i].at;
          at = {at.x * width_, at.y * height_};
        }
      }
    }
  }
  for (std::size_t i = 0; i < poses.frames.size(); ++i) {
    poses.frames[i].seconds = static_cast<double>(i) / options.frames_per_second;
  }
  const auto tell = [&poses](const Unread& unread, std::string_view one, std::string_view many) {
    if (unread.count == 0) return;
    poses.notes.push_back(unread.count == 1
                              ? fmt::format("{} and counts as unseen: {}", one, unread.first)
                              : fmt::format("{} {} and count as unseen, first: {}", unread.count, many, unread.first));
  };
  tell(unread_people_, "a person's body cannot be read", "people's bodies cannot be read");
  tell(unread_parts_, "a face, hand or foot cannot be read", "faces, hands or feet cannot be read");
  return poses;
}

}  // namespace unianimate::pose
