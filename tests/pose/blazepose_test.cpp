// The embedded detector: it loads, takes pictures of any kind, and says what is wrong with its files.
#include "unianimate/pose/detect/blazepose/blazepose_detector.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "pose/walker.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/progress.h"
#include "unianimate/pose/detect/blazepose/body_landmarks.h"
#include "unianimate/pose/detect/blazepose/detail_landmarks.h"
#include "unianimate/pose/detect/detector.h"
#include "unianimate/pose/detect/extraction.h"
#include "unianimate/pose/detect/people_search.h"
#include "unianimate/pose/draw/drawing.h"

namespace unianimate::pose {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

/// Loaded once for all tests; options without a folder find the networks as the program does.
const PoseDetector& blazepose() {
  static const ChosenDetector chosen = [] {
    DetectorOptions options;
    options.choice = DetectorChoice::kBlazepose;
    options.threads = 2;
    return make_detector(options);
  }();
  return *chosen.detector;
}

Image noise(int width, int height) {
  Image image(width, height);
  std::mt19937 generator(11);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(generator());
  return image;
}

void expect_sound(const std::vector<Person>& people) {
  for (const Person& person : people) testing::expect_finite(person.keypoints);
}

/// A person whom finding is sure of, at places that are of no use.
FoundPerson somebody(const std::function<Point(std::size_t)>& place) {
  FoundPerson person;
  for (std::size_t i = 0; i < blazepose::kBodyLandmarks; ++i) person.landmarks.push_back({place(i), 1});
  return person;
}

TEST(BlazePose, FindsNobodyInBlack) {
  EXPECT_EQ(blazepose().name(), "blazepose");
  EXPECT_TRUE(extract_people(Image(320, 240), blazepose()).empty());
}

TEST(BlazePose, TakesPicturesOfAnySize) {
  for (const auto& [width, height] : {std::pair{1, 1}, {16, 16}, {1, 500}, {500, 1}, {2000, 17}, {17, 2000}}) {
    expect_sound(extract_people(Image(width, height), blazepose()));
    expect_sound(extract_people(noise(width, height), blazepose()));
  }
}

TEST(BlazePose, TakesNoise) {
  expect_sound(extract_people(noise(640, 480), blazepose()));
}

TEST(BlazePose, TakesFramesThatChangeTheirContent) {
  const auto finder = blazepose().make_finder();
  const auto estimator = blazepose().make_estimator(EstimatorEffort::kPicture);
  Image figure(300, 400);
  std::ranges::fill(figure.pixels, std::uint8_t{230});
  figure = draw_pose_over(figure, testing::walker({}, {150, 90}, 0.3));
  for (const Image& picture : {figure, figure, Image(300, 400), noise(300, 400), figure, Image(16, 16), figure}) {
    for (const FoundPerson& person : finder->find(picture)) {
      testing::expect_finite(estimator->estimate(picture, person));
    }
  }
}

TEST(BlazePose, EstimatesWhereLandmarksAreOfNoUse) {
  const auto estimator = blazepose().make_estimator(EstimatorEffort::kPicture);
  const Image picture = noise(64, 64);
  for (const FoundPerson& person : {somebody([](std::size_t) {
                                      return Point{32, 32};
                                    }),
                                    somebody([](std::size_t) {
                                      return Point{-1e7, 1e7};
                                    }),
                                    somebody([](std::size_t i) {
                                      return Point{static_cast<double>(i) * 1e6, -5};
                                    })}) {
    testing::expect_finite(estimator->estimate(picture, person));
  }
}

// ---- files

fs::path network_folder() {
  const char* const folder = std::getenv("UNIANIMATE_BLAZEPOSE");
  return folder != nullptr && *folder != '\0' ? folder : UNIANIMATE_BLAZEPOSE_DIR;
}

/// Of the networks; the first is the first to be read.
constexpr std::array kFiles{"pose_detection/pose_detection.tflite", "pose_landmark/pose_landmark_full.tflite",
                            "face_landmark/face_landmark.tflite"};

/// A folder whose networks are the real ones, to change one of.
class NetworkFiles : public ::testing::Test {
 protected:
  NetworkFiles() {
    for (const auto& entry : fs::recursive_directory_iterator(network_folder())) {
      const fs::path copy = folder_.path() / fs::relative(entry.path(), network_folder());
      if (entry.is_directory()) {
        fs::create_directories(copy);
      } else {
        fs::create_symlink(entry.path(), copy);
      }
    }
  }
  void replace(const std::string& file, const std::string& content) const {
    fs::remove(folder_ / file);
    std::ofstream(folder_ / file, std::ios::binary) << content;
  }
  void link(const std::string& file, const fs::path& target) const {
    fs::remove(folder_ / file);
    fs::create_symlink(target, folder_ / file);
  }
  /// One sentence that names the file.
  void expect_refused(const std::string& file) const {
    try {
      static_cast<void>(load_blazepose(folder_.path(), 1));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << message;
      EXPECT_NE(message.find(file), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_LT(message.size(), 500) << message;
    }
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(NetworkFiles, ThatAreNoneAreNamed) {
  for (const std::string file : kFiles) {
    replace(file, "no network");
    expect_refused(file);
    link(file, network_folder() / file);
  }
}

TEST_F(NetworkFiles, ThatAreMissingEmptyDamagedOrOthersAreNamed) {
  // Nothing has to be loaded before it, so that each try is quick.
  const std::string file = kFiles.front();
  link(file, "nowhere");
  expect_refused(file);
  for (const std::string& content :
       {std::string(), std::string(4096, '\x7f'), std::string("TFL3"), std::string("\x1c\0\0\0TFL3", 8)}) {
    replace(file, content);
    expect_refused(file);
  }
  std::ifstream stream(network_folder() / file, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(stream), {});
  for (const std::size_t size : {whole.size() - 1000, whole.size() / 2, std::size_t{40}}) {
    replace(file, whole.substr(0, size));
    expect_refused(file);
  }
  for (std::size_t other = 1; other < kFiles.size(); ++other) {
    link(file, network_folder() / kFiles[other]);
    expect_refused(file);
  }
}

TEST(Detector, IsChosenByName) {
  EXPECT_EQ(fields::parse_word<DetectorChoice>("it", "auto"), DetectorChoice::kAuto);
  EXPECT_EQ(fields::parse_word<DetectorChoice>("it", "dwpose"), DetectorChoice::kDwpose);
  EXPECT_EQ(fields::parse_word<DetectorChoice>("it", "blazepose"), DetectorChoice::kBlazepose);
  EXPECT_THROW(static_cast<void>(fields::parse_word<DetectorChoice>("it", "openpose")), Error);
  EXPECT_THROW(static_cast<void>(fields::parse_word<DetectorChoice>("it", "")), Error);
}

TEST(Detector, WithoutDwposeFilesIsBlazePoseAndSaysWhy) {
  const TemporaryFolder empty;
  DetectorOptions options;
  options.dwpose_folder = empty.path();
  options.threads = 1;
  const ChosenDetector chosen = make_detector(options);
  EXPECT_EQ(chosen.detector->name(), "blazepose");
  EXPECT_NE(chosen.reason.find("yolox_l.onnx"), std::string::npos) << chosen.reason;
}

TEST(Detector, IsLoadedOnceForAllWhoWantTheSame) {
  struct Phases final : Progress {
    void begin_phase(std::string_view name, std::int64_t /*steps*/) override { names.emplace_back(name); }
    std::vector<std::string> names;
  } progress;
  const TemporaryFolder empty;
  DetectorOptions options;
  options.dwpose_folder = empty.path();
  options.threads = 1;
  options.kept = std::make_shared<KeptDetector>();
  const PoseDetector* const first = &LazyDetector(options, progress).get();
  EXPECT_EQ(&LazyDetector(options, progress).get(), first);
  EXPECT_EQ(progress.names, std::vector<std::string>{"load pose models"});
  const auto loads = [&](const DetectorOptions& wanted) {
    bool loaded = false;
    try {
      static_cast<void>(options.kept->get(wanted, [&] { loaded = true; }));
    } catch (const Error&) {
      EXPECT_EQ(wanted.choice, DetectorChoice::kDwpose);
    }
    return loaded;
  };
  EXPECT_FALSE(loads(options));
  DetectorOptions broken = options;
  broken.choice = DetectorChoice::kDwpose;
  EXPECT_TRUE(loads(broken));
  EXPECT_TRUE(loads(broken)) << "it is not there";
  EXPECT_TRUE(loads(options)) << "never two at once";
}

TEST(Detector, DwposeWithoutOrWithBrokenFilesIsRefused) {
  const TemporaryFolder folder;
  DetectorOptions options;
  options.dwpose_folder = folder.path();
  options.choice = DetectorChoice::kDwpose;
  const auto expect_refused = [&] {
    try {
      static_cast<void>(make_detector(options));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find(".onnx"), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  };
  expect_refused();
  std::ofstream(folder / "yolox_l.onnx") << "no network";
  std::ofstream(folder / "dw-ll_ucoco_384.onnx") << "no network";
  expect_refused();
  options.choice = DetectorChoice::kAuto;
  expect_refused();
}

}  // namespace
}  // namespace unianimate::pose
