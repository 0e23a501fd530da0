#include "unianimate/pose/detect/dwpose/dwpose_detector.h"

#include "unianimate/pose/detect/dwpose/person_boxes.h"
#include "unianimate/pose/detect/dwpose/whole_body.h"

namespace unianimate::pose {

namespace {

/// Of a crowd, the surest; each costs as much as the next.
constexpr std::size_t kMostPeople = 20;

class DwposeFinder final : public PeopleFinder {
 public:
  explicit DwposeFinder(const Network& yolox) : inference_(yolox) {}

  std::vector<FoundPerson> find(const Image& picture) override {
    const double scale = dwpose::fill_yolox_input(picture, inference_.input());
    inference_.run();
    std::vector<FoundPerson> found;
    for (const Box& box : dwpose::read_person_boxes(inference_.output(0), scale)) {
      if (found.size() == kMostPeople) break;
      found.push_back({box, {}});
    }
    if (found.empty()) {
      found.push_back({{0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)}, {}});
    }
    return found;
  }

 private:
  Inference inference_;
};

class DwposeEstimator final : public KeypointEstimator {
 public:
  explicit DwposeEstimator(const Network& whole_body) : inference_(whole_body) {}

  Keypoints estimate(const Image& picture, const FoundPerson& person) override {
    const dwpose::CropFrame frame = dwpose::crop_frame(person.box);
    dwpose::fill_whole_body_input(picture, frame, inference_.input());
    inference_.run();
    return from_whole_body(dwpose::read_whole_body(inference_.output(0), inference_.output(1), frame));
  }

 private:
  Inference inference_;
};

class Dwpose final : public PoseDetector {
 public:
  Dwpose(Network yolox, Network whole_body) : yolox_(std::move(yolox)), whole_body_(std::move(whole_body)) {}
  [[nodiscard]] std::string name() const override { return "dwpose"; }
  [[nodiscard]] std::unique_ptr<PeopleFinder> make_finder() const override {
    return std::make_unique<DwposeFinder>(yolox_);
  }
  [[nodiscard]] std::unique_ptr<KeypointEstimator> make_estimator(EstimatorEffort /*effort*/) const override {
    return std::make_unique<DwposeEstimator>(whole_body_);
  }

 private:
  Network yolox_;
  Network whole_body_;
};

}  // namespace

std::unique_ptr<PoseDetector> load_dwpose(const std::filesystem::path& folder, int threads) {
  return std::make_unique<Dwpose>(Network(folder / kYoloxFile, dwpose::yolox_interface(), {threads, 1}),
                                  Network(folder / kWholeBodyFile, dwpose::whole_body_interface(), {threads, threads}));
}

}  // namespace unianimate::pose
