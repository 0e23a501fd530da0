// Finding people and their points in pictures: one interface, two ways.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "unianimate/fields/words.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/format/keypoints.h"

namespace unianimate::pose {

/// Someone in a picture, before all points are known.
struct FoundPerson {
  Box box;                          ///< pixels
  std::vector<Keypoint> landmarks;  ///< what finding already told, in the detector's own order; may be empty
};

/// Finds people in the pictures of one video, given in order. Not to be shared between threads.
class PeopleFinder {
 public:
  virtual ~PeopleFinder() = default;
  virtual std::vector<FoundPerson> find(const Image& picture) = 0;

 protected:
  PeopleFinder() = default;
  PeopleFinder(const PeopleFinder&) = default;
  PeopleFinder& operator=(const PeopleFinder&) = default;
};

/// Works out all points of one person. One for each thread.
class KeypointEstimator {
 public:
  virtual ~KeypointEstimator() = default;
  virtual Keypoints estimate(const Image& picture, const FoundPerson& person) = 0;

 protected:
  KeypointEstimator() = default;
  KeypointEstimator(const KeypointEstimator&) = default;
  KeypointEstimator& operator=(const KeypointEstimator&) = default;
};

enum class EstimatorEffort {
  kFrames,   ///< for the many frames of a video
  kPicture,  ///< for one picture on which much depends: everything that helps
};

/// The networks, loaded once.
class PoseDetector {
 public:
  virtual ~PoseDetector() = default;
  /// "dwpose" or "blazepose".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Begins a video, or a single picture.
  [[nodiscard]] virtual std::unique_ptr<PeopleFinder> make_finder() const = 0;
  [[nodiscard]] virtual std::unique_ptr<KeypointEstimator> make_estimator(EstimatorEffort effort) const = 0;

 protected:
  PoseDetector() = default;
  PoseDetector(const PoseDetector&) = default;
  PoseDetector& operator=(const PoseDetector&) = default;
};

enum class DetectorChoice { kAuto, kDwpose, kBlazepose };
constexpr auto words(DetectorChoice /*of*/) {
  return std::array<fields::Word<DetectorChoice>, 3>{{{DetectorChoice::kAuto, "auto"},
                                                      {DetectorChoice::kDwpose, "dwpose"},
                                                      {DetectorChoice::kBlazepose, "blazepose"}}};
}

class KeptDetector;

struct DetectorOptions {
  DetectorChoice choice = DetectorChoice::kAuto;
  /// Folder with yolox_l.onnx and dw-ll_ucoco_384.onnx.
  std::filesystem::path dwpose_folder = "checkpoints";
  /// Folder of MediaPipe's modules; empty: the one of $UNIANIMATE_BLAZEPOSE, else the one the program was built with.
  std::filesystem::path blazepose_folder;
  int threads = 0;  ///< 0: one for each core
  /// Whose networks are taken, for whoever looks for people again and again; null: each takes networks of its own.
  std::shared_ptr<KeptDetector> kept = {};
};

/// Which networks the options lead to, in short: detectors of equal identity find the same.
std::string detector_identity(const DetectorOptions& options);

/// A detector, and one sentence on which it is and why.
struct ChosenDetector {
  std::shared_ptr<const PoseDetector> detector;
  std::string reason;
};

/// auto: dwpose where both its files are, else blazepose. Throws Error(kInput) naming the file that is missing or no
/// such network.
ChosenDetector make_detector(const DetectorOptions& options);

/// The networks that were asked for last stay loaded while this is there. May be used from several threads.
class KeptDetector {
 public:
  /// `loading` is called before networks are loaded. Throws as make_detector().
  ChosenDetector get(const DetectorOptions& options, const std::function<void()>& loading = {});

 private:
  static std::string key(const DetectorOptions& options);

  std::mutex mutex_;
  std::string key_;  ///< of what is here
  ChosenDetector chosen_;
};

}  // namespace unianimate::pose
