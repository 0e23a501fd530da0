#include "unianimate/pose/align/tracking.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>

#include "unianimate/core/error.h"

namespace unianimate::pose {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// ---- appearance

using Colour = std::array<double, 3>;

/// Nothing where no sample lies in the picture.
std::optional<Colour> mean_colour(const Image& picture, std::span<const Point> samples) {
  Colour sum{};
  double count = 0;
  for (const Point p : samples) {
    if (!(p.x >= 0 && p.y >= 0 && p.x < picture.width && p.y < picture.height)) continue;
    const auto pixel =
        picture.row(static_cast<int>(p.y)).subspan(static_cast<std::size_t>(p.x) * Image::kChannels, Image::kChannels);
    for (std::size_t channel = 0; channel < sum.size(); ++channel) sum[channel] += pixel[channel];
    ++count;
  }
  if (count == 0) return std::nullopt;
  constexpr double kWhite = 255;
  for (double& value : sum) value /= count * kWhite;
  return sum;
}

constexpr int kSteps = 6;

/// Points on the line from a to b, without its ends.
std::vector<Point> line(Point a, Point b) {
  std::vector<Point> points;
  for (int step = 1; step < kSteps; ++step) points.push_back(a + (b - a) * (static_cast<double>(step) / kSteps));
  return points;
}

/// Points between the lines a b and c d, evenly.
std::vector<Point> grid(Point a, Point b, Point c, Point d) {
  std::vector<Point> points;
  const std::vector<Point> top = line(a, b);
  const std::vector<Point> bottom = line(c, d);
  for (std::size_t i = 0; i < top.size(); ++i) std::ranges::copy(line(top[i], bottom[i]), std::back_inserter(points));
  return points;
}

double difference(const std::optional<Appearance>& a, const std::optional<Appearance>& b) {
  constexpr double kUnknown = 0.15;
  if (!a || !b) return kUnknown;
  double sum = 0;
  for (std::size_t channel = 0; channel < a->torso.size(); ++channel) {
    sum += std::abs(a->torso[channel] - b->torso[channel]) + std::abs(a->thighs[channel] - b->thighs[channel]);
  }
  return sum / (2 * static_cast<double>(a->torso.size()));
}

// ---- tracks

struct Track {
  std::int64_t last_frame = 0;
  Point centre;
  Point velocity;  ///< pixels a frame
  double size = 0;
  std::optional<Appearance> appearance;
  double weight = 0;  ///< how much this person matters
};

double size_of(const Box& box) {
  return std::max(1.0, std::hypot(box.width(), box.height()));
}

/// How badly the sighting fits the track; kNever where it cannot be the same person.
double mismatch(const Track& track, const Sighting& sighting, const Box& box, std::int64_t frame) {
  constexpr double kFarthest = 1.0;           // of the body's size, from where the person is expected, but for a cut
  constexpr double kClothesWeight = 2.0;      // against distance in body sizes
  constexpr double kSameClothes = 0.12;       // enough to know somebody again who was away
  constexpr std::int64_t kShortAbsence = 30;  // frames for which the place says something
  constexpr double kSlowing = 10;             // frames for which somebody unseen is taken to go on
  const auto gap = static_cast<double>(frame - track.last_frame);
  const double clothes = difference(track.appearance, sighting.appearance);
  const double by_clothes = clothes < kSameClothes ? kFarthest + kClothesWeight * clothes : kNever;
  if (frame - track.last_frame > kShortAbsence) return by_clothes;
  const Point expected = track.centre + track.velocity * std::min(gap, kSlowing);
  const double away = distance(expected, box.centre()) / std::max(track.size, size_of(box));
  return away > kFarthest ? by_clothes : away + kClothesWeight * clothes;
}

void extend(Track& track, const Sighting& sighting, const Box& box, std::int64_t frame) {
  constexpr double kNew = 0.3;
  const auto gap = static_cast<double>(std::max<std::int64_t>(1, frame - track.last_frame));
  const Point velocity = (box.centre() - track.centre) * (1 / gap);
  track.velocity = track.velocity * (1 - kNew) + velocity * kNew;
  track.centre = box.centre();
  track.size = size_of(box);
  track.last_frame = frame;
  if (!track.appearance) track.appearance = sighting.appearance;
  if (!sighting.appearance) return;
  const auto follow = [](Colour& mean, const Colour& now) {
    constexpr double kSlowly = 0.05;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += kSlowly * (now[i] - mean[i]);
  };
  follow(track.appearance->torso, sighting.appearance->torso);
  follow(track.appearance->thighs, sighting.appearance->thighs);
}

double importance(const Box& box, int width, int height) {
  const Point off{box.centre().x / width - 0.5, box.centre().y / height - 0.5};
  return box.area() / (static_cast<double>(width) * height) * std::max(0.1, 1 - length(off));
}

/// The pairs of tracks and sightings that fit, best first, each of both used once.
std::vector<std::size_t> match(std::vector<Track>& tracks, const std::vector<Sighting>& sightings,
                               const std::vector<Box>& boxes, std::int64_t frame) {
  struct Pair {
    double mismatch;
    std::size_t track;
    std::size_t sighting;
  };
  std::vector<Pair> pairs;
  for (std::size_t t = 0; t < tracks.size(); ++t) {
    for (std::size_t s = 0; s < sightings.size(); ++s) {
      const double cost = mismatch(tracks[t], sightings[s], boxes[s], frame);
      if (cost < kNever) pairs.push_back({cost, t, s});
    }
  }
  std::ranges::sort(pairs, {}, &Pair::mismatch);
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> track_of(sightings.size(), kNone);
  std::vector<bool> taken(tracks.size(), false);
  for (const Pair& pair : pairs) {
    if (taken[pair.track] || track_of[pair.sighting] != kNone) continue;
    taken[pair.track] = true;
    track_of[pair.sighting] = pair.track;
  }
  for (std::size_t s = 0; s < sightings.size(); ++s) {
    if (track_of[s] != kNone) continue;
    track_of[s] = tracks.size();
    tracks.push_back({frame, boxes[s].centre(), {}, size_of(boxes[s]), sightings[s].appearance, 0});
  }
  return track_of;
}

/// What one track did in a sequence.
struct Presence {
  double height = 0;
  double x = 0;
  double off_centre = 0;
  double frames = 0;
  Point first;
};

std::map<std::int64_t, Presence> presences(const PoseSequence& sequence) {
  std::map<std::int64_t, Presence> tracks;
  for (const PoseFrame& frame : sequence.frames) {
    for (const Person& person : frame.people) {
      const Box box = bounding_box(person.keypoints);
      const auto [place, is_new] = tracks.try_emplace(person.track);
      Presence& presence = place->second;
      if (is_new) presence.first = box.centre();
      presence.height += box.height();
      presence.x += box.centre().x;
      presence.off_centre += std::abs(box.centre().x - sequence.width / 2.0);
      ++presence.frames;
    }
  }
  return tracks;
}

std::int64_t chosen_track(const PoseSequence& sequence, const PersonChoice& choice) {
  const std::map<std::int64_t, Presence> tracks = presences(sequence);
  if (tracks.empty()) {
    throw Error(ErrorKind::kInput,
                "nobody was found in any of the {} frames; give a motion in which a person can be seen",
                sequence.frames.size());
  }
  if (choice.kind == PersonChoice::Kind::kTrack) {
    if (tracks.contains(choice.track)) return choice.track;
    throw Error(ErrorKind::kInput, "there is no person {} in the video: {} found, numbered from 0 to {}", choice.track,
                tracks.size() == 1 ? "1 was" : fmt::format("{} were", tracks.size()), tracks.rbegin()->first);
  }
  // Somebody who is there only for a moment is no candidate for a place in the picture.
  constexpr double kPassingBy = 0.1;
  const double longest =
      std::ranges::max_element(tracks, {}, [](const auto& t) { return t.second.frames; })->second.frames;
  const auto worth = [&](const std::pair<const std::int64_t, Presence>& track) {
    const Presence& p = track.second;
    if (choice.kind != PersonChoice::Kind::kMain && p.frames < kPassingBy * longest) return -kNever;
    switch (choice.kind) {
      case PersonChoice::Kind::kLargest:
        return p.height / p.frames;
      case PersonChoice::Kind::kCenter:
        return -p.off_centre / p.frames;
      case PersonChoice::Kind::kLeft:
        return -p.x / p.frames;
      case PersonChoice::Kind::kRight:
        return p.x / p.frames;
      case PersonChoice::Kind::kAt:
        return -distance(p.first, choice.at);
      default:
        return -static_cast<double>(track.first);
    }
  };
  return std::ranges::max_element(tracks, {}, worth)->first;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Appearance> appearance_of(const Image& picture, const Keypoints& keypoints) {
  const auto seen = [&](std::initializer_list<std::size_t> points) {
    return std::ranges::all_of(points, [&](std::size_t i) { return keypoints[i].seen(); });
  };
  const auto at = [&](std::size_t i) { return keypoints[i].at; };
  if (!seen({kRightShoulder, kLeftShoulder})) return std::nullopt;
  const Point right = at(kRightShoulder);
  const Point left = at(kLeftShoulder);
  // Without hips, the chest: as far down as the shoulders are wide.
  const Point down{0, std::max(1.0, distance(right, left))};
  const bool hips = seen({kRightHip, kLeftHip});
  const std::optional<Colour> torso =
      mean_colour(picture, grid(right, left, hips ? at(kRightHip) : right + down, hips ? at(kLeftHip) : left + down));
  if (!torso) return std::nullopt;
  if (!seen({kRightHip, kLeftHip, kRightKnee, kLeftKnee})) return Appearance{*torso, *torso};
  std::vector<Point> thighs = line(at(kRightHip), at(kRightKnee));
  std::ranges::copy(line(at(kLeftHip), at(kLeftKnee)), std::back_inserter(thighs));
  return Appearance{*torso, mean_colour(picture, thighs).value_or(*torso)};
}

std::vector<std::vector<std::int64_t>> assign_tracks(const std::vector<std::vector<Sighting>>& frames, int width,
                                                     int height) {
  std::vector<Track> tracks;
  std::vector<std::vector<std::size_t>> found;
  std::int64_t number = 0;
  for (const std::vector<Sighting>& sightings : frames) {
    std::vector<Box> boxes;
    for (const Sighting& sighting : sightings) boxes.push_back(bounding_box(sighting.keypoints));
    const std::vector<std::size_t>& track_of = found.emplace_back(match(tracks, sightings, boxes, number));
    for (std::size_t s = 0; s < sightings.size(); ++s) {
      Track& track = tracks[track_of[s]];
      extend(track, sightings[s], boxes[s], number);
      track.weight += importance(boxes[s], width, height);
    }
    ++number;
  }
  std::vector<std::size_t> by_weight(tracks.size());
  std::iota(by_weight.begin(), by_weight.end(), std::size_t{0});
  std::ranges::stable_sort(by_weight, std::ranges::greater(), [&](std::size_t t) { return tracks[t].weight; });
  std::vector<std::int64_t> rank(tracks.size());
  for (std::size_t i = 0; i < by_weight.size(); ++i) rank[by_weight[i]] = static_cast<std::int64_t>(i);
  std::vector<std::vector<std::int64_t>> numbers;
  for (const std::vector<std::size_t>& frame : found) {
    auto& list = numbers.emplace_back();
    for (const std::size_t track : frame) list.push_back(rank[track]);
  }
  return numbers;
}

std::map<std::int64_t, std::int64_t> count_tracks(const PoseSequence& sequence) {
  std::map<std::int64_t, std::int64_t> tracks;
  for (const PoseFrame& frame : sequence.frames) {
    for (const Person& person : frame.people) ++tracks[person.track];
  }
  return tracks;
}

PersonChoice PersonChoice::parse(std::string_view text) {
  using Name = std::pair<std::string_view, Kind>;
  for (const auto& [name, kind] :
       {Name{"main", Kind::kMain}, Name{"largest", Kind::kLargest}, Name{"center", Kind::kCenter},
        Name{"left", Kind::kLeft}, Name{"right", Kind::kRight}}) {
    if (text == name) return {kind, 0, {}};
  }
  if (const std::size_t comma = text.find(','); comma != std::string_view::npos) {
    const auto x = parse_number(text.substr(0, comma));
    const auto y = parse_number(text.substr(comma + 1));
    if (x && y) return {Kind::kAt, 0, {*x, *y}};
  } else if (const auto number = parse_number(text); number && *number >= 0 && *number == std::floor(*number)) {
    constexpr double kMost = 1e9;
    if (*number < kMost) return {Kind::kTrack, static_cast<std::int64_t>(*number), {}};
  }
  throw Error(ErrorKind::kUsage,
              "the person is main, largest, center, left, right, a number from 0 up, or a place x,y in pixels; found "
              "'{}'",
              printable(text));
}

PoseSequence choose_person(const PoseSequence& sequence, const PersonChoice& choice) {
  const std::int64_t track = chosen_track(sequence, choice);
  PoseSequence chosen{sequence.width, sequence.height, sequence.frames_per_second, sequence.detector, {}};
  for (const PoseFrame& frame : sequence.frames) {
    std::vector<Person>& people = chosen.frames.emplace_back(PoseFrame{frame.seconds, {}}).people;
    // A file made elsewhere may hold two people of one number.
    const auto person = std::ranges::find(frame.people, track, &Person::track);
    if (person != frame.people.end()) people.push_back(*person);
  }
  return chosen;
}

}  // namespace unianimate::pose
