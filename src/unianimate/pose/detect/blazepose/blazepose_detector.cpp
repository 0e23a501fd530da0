#include "unianimate/pose/detect/blazepose/blazepose_detector.h"

#include <algorithm>

#include "unianimate/pose/detect/blazepose/body_landmarks.h"
#include "unianimate/pose/detect/blazepose/detail_landmarks.h"
#include "unianimate/pose/detect/blazepose/person_detection.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

using blazepose::BodyLandmarker;
using blazepose::BodyLandmarks;
using blazepose::FaceLandmarker;
using blazepose::HandLandmarker;
using blazepose::PersonDetection;

// MediaPipe's numbers.
enum Landmark : std::size_t {
  kMpNose = 0,
  kMpLeftEye = 2,
  kMpRightEye = 5,
  kMpLeftEar = 7,
  kMpRightEar = 8,
  kMpMouthLeft = 9,
  kMpMouthRight = 10,
  kMpLeftShoulder = 11,
  kMpRightShoulder = 12,
  kMpLeftElbow = 13,
  kMpRightElbow = 14,
  kMpLeftWrist = 15,
  kMpRightWrist = 16,
  kMpLeftLittle = 17,
  kMpRightLittle = 18,
  kMpLeftIndex = 19,
  kMpRightIndex = 20,
  kMpLeftHip = 23,
  kMpRightHip = 24,
  kMpLeftKnee = 25,
  kMpRightKnee = 26,
  kMpLeftAnkle = 27,
  kMpRightAnkle = 28,
  kMpLeftHeel = 29,
  kMpRightHeel = 30,
  kMpLeftFoot = 31,
  kMpRightFoot = 32,
};

struct SamePoint {
  KeypointIndex keypoint;
  Landmark landmark;
};
constexpr std::array kSamePoints{
    SamePoint{kNose, kMpNose},
    SamePoint{kRightShoulder, kMpRightShoulder},
    SamePoint{kRightElbow, kMpRightElbow},
    SamePoint{kRightWrist, kMpRightWrist},
    SamePoint{kLeftShoulder, kMpLeftShoulder},
    SamePoint{kLeftElbow, kMpLeftElbow},
    SamePoint{kLeftWrist, kMpLeftWrist},
    SamePoint{kRightHip, kMpRightHip},
    SamePoint{kRightKnee, kMpRightKnee},
    SamePoint{kRightAnkle, kMpRightAnkle},
    SamePoint{kLeftHip, kMpLeftHip},
    SamePoint{kLeftKnee, kMpLeftKnee},
    SamePoint{kLeftAnkle, kMpLeftAnkle},
    SamePoint{kRightEye, kMpRightEye},
    SamePoint{kLeftEye, kMpLeftEye},
    SamePoint{kRightEar, kMpRightEar},
    SamePoint{kLeftEar, kMpLeftEar},
    SamePoint{kLeftBigToe, kMpLeftFoot},
    SamePoint{kLeftSmallToe, kMpLeftFoot},
    SamePoint{kLeftHeel, kMpLeftHeel},
    SamePoint{kRightBigToe, kMpRightFoot},
    SamePoint{kRightSmallToe, kMpRightFoot},
    SamePoint{kRightHeel, kMpRightHeel},
};

constexpr double kPresent = 0.5;

struct Networks {
  Network person_detection;
  Network body;
  Network hand;
  Network quick_hand;  ///< finds nearly as many, as steadily, in half the time
  Network face;
};

Keypoints body_keypoints(std::span<const Keypoint> landmarks) {
  Keypoints keypoints{};
  for (const SamePoint& same : kSamePoints) keypoints[same.keypoint] = landmarks[same.landmark];
  keypoints[kNeck] = neck_between(keypoints[kLeftShoulder], keypoints[kRightShoulder]);
  return keypoints;
}

/// Whether both are about one person: as far apart as a small share of the body's size.
bool same_person(const BodyLandmarks& a, const BodyLandmarks& b) {
  constexpr double kShare = 0.1;
  double sum = 0;
  for (std::size_t i = kMpLeftShoulder; i < blazepose::kBodyLandmarks; ++i) {
    sum += distance(a.points[i].at, b.points[i].at);
  }
  const double mean = sum / (blazepose::kBodyLandmarks - kMpLeftShoulder);
  return mean < kShare * std::max(a.region.side, b.region.side);
}

class BlazePoseFinder final : public PeopleFinder {
 public:
  explicit BlazePoseFinder(const Networks& networks)
      : detection_(networks.person_detection), landmarker_(networks.body) {}

  std::vector<FoundPerson> find(const Image& picture) override {
    std::vector<BodyLandmarks> people = follow(picture);
    const bool somebody_lost = people.size() < people_.size();
    if (people.empty() || somebody_lost || ++frames_since_search_ >= kFramesBetweenSearches) {
      add_newcomers(picture, people);
      frames_since_search_ = 0;
    }
    people_ = std::move(people);
    std::vector<FoundPerson> found;
    for (const BodyLandmarks& person : people_) {
      found.push_back({bounding_box(body_keypoints(person.points)), {person.points.begin(), person.points.end()}});
    }
    return found;
  }

 private:
  static constexpr std::size_t kMostPeople = 6;
  static constexpr int kFramesBetweenSearches = 10;
  /// First guesses are rough: each pass looks where the one before found the body.
  static constexpr int kFirstPasses = 4;

  std::vector<BodyLandmarks> follow(const Image& picture) {
    std::vector<BodyLandmarks> people;
    for (const BodyLandmarks& before : people_) {
      const BodyLandmarks now = landmarker_.find(picture, before.region);
      if (now.presence > kPresent && is_new(now, people)) people.push_back(now);
    }
    return people;
  }

  void add_newcomers(const Image& picture, std::vector<BodyLandmarks>& people) {
    for (const SquareRegion& region : detection_.detect(picture)) {
      if (people.size() == kMostPeople) return;
      if (std::ranges::any_of(people, [&](const BodyLandmarks& known) { return looks_at(region, known); })) continue;
      BodyLandmarks newcomer;
      newcomer.region = region;
      for (int pass = 0; pass < kFirstPasses; ++pass) {
        newcomer = landmarker_.find_precisely(picture, newcomer.region);
        if (newcomer.presence <= kPresent) break;
      }
      if (newcomer.presence > kPresent && is_new(newcomer, people)) people.push_back(newcomer);
    }
  }

  static bool looks_at(const SquareRegion& region, const BodyLandmarks& known) {
    constexpr double kShare = 0.08;
    return distance(region.centre, known.region.centre) < kShare * known.region.side &&
           region.side < 1.5 * known.region.side && known.region.side < 1.5 * region.side;
  }

  static bool is_new(const BodyLandmarks& person, const std::vector<BodyLandmarks>& people) {
    return std::ranges::none_of(people, [&](const BodyLandmarks& known) { return same_person(person, known); });
  }

  PersonDetection detection_;
  BodyLandmarker landmarker_;
  std::vector<BodyLandmarks> people_;
  int frames_since_search_ = 0;
};

class BlazePoseEstimator final : public KeypointEstimator {
 public:
  BlazePoseEstimator(const Networks& networks, EstimatorEffort effort)
      : hand_(effort == EstimatorEffort::kPicture ? networks.hand : networks.quick_hand), face_(networks.face) {}

  Keypoints estimate(const Image& picture, const FoundPerson& person) override {
    const std::vector<Keypoint>& body = person.landmarks;
    Keypoints keypoints = body_keypoints(body);
    const auto part = [&]<std::size_t N>(std::size_t first) {
      return std::span<Keypoint, N>(keypoints.data() + first, N);
    };
    const auto at = [&](std::size_t landmark) { return body[landmark].at; };
    hand_.find(picture, at(kMpLeftWrist), at(kMpLeftIndex), at(kMpLeftLittle),
               part.template operator()<kHandPoints>(kLeftHand));
    hand_.find(picture, at(kMpRightWrist), at(kMpRightIndex), at(kMpRightLittle),
               part.template operator()<kHandPoints>(kRightHand));
    face_.find(picture,
               {at(kMpNose), at(kMpLeftEye), at(kMpRightEye), middle(at(kMpMouthLeft), at(kMpMouthRight)),
                at(kMpLeftEar), at(kMpRightEar)},
               part.template operator()<kFacePoints>(kFace));
    return keypoints;
  }

 private:
  HandLandmarker hand_;
  FaceLandmarker face_;
};

class BlazePose final : public PoseDetector {
 public:
  explicit BlazePose(Networks networks) : networks_(std::move(networks)) {}
  [[nodiscard]] std::string name() const override { return "blazepose"; }
  [[nodiscard]] std::unique_ptr<PeopleFinder> make_finder() const override {
    return std::make_unique<BlazePoseFinder>(networks_);
  }
  [[nodiscard]] std::unique_ptr<KeypointEstimator> make_estimator(EstimatorEffort effort) const override {
    return std::make_unique<BlazePoseEstimator>(networks_, effort);
  }

 private:
  Networks networks_;
};

}  // namespace

std::unique_ptr<PoseDetector> load_blazepose(const fs::path& folder, int threads) {
  // A frame's body is needed before the next frame's, while hands and faces of several frames go side by side.
  const NetworkThreads one_by_one{1, 1};
  const NetworkThreads side_by_side{threads, threads};
  return std::make_unique<BlazePose>(Networks{
      Network(folder / "pose_detection/pose_detection.tflite", PersonDetection::interface(), one_by_one),
      Network(folder / "pose_landmark/pose_landmark_full.tflite", BodyLandmarker::interface(), one_by_one),
      Network(folder / "hand_landmark/hand_landmark_full.tflite", HandLandmarker::interface(), side_by_side),
      Network(folder / "hand_landmark/hand_landmark_lite.tflite", HandLandmarker::interface(), side_by_side),
      Network(folder / "face_landmark/face_landmark.tflite", FaceLandmarker::interface(), side_by_side),
  });
}

}  // namespace unianimate::pose
