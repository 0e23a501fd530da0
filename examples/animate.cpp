// The library in use: one picture and a folder of poses become a video.
// usage: animate MODELS_FOLDER PICTURE POSE_FOLDER VIDEO
#include <iostream>

#include "unianimate/core/device.h"
#include "unianimate/families/families.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/media/film/still_pictures.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/pipeline/animate.h"

int main(int argc, char** argv) try {
  if (argc != 5) throw std::invalid_argument("usage: animate MODELS_FOLDER PICTURE POSE_FOLDER VIDEO");
  using namespace unianimate;
  read_further_pictures();
  load_cuda_libraries(DeviceChoice::kAuto);
  family::RuntimeOptions options;
  options.compute = choose_compute(DeviceChoice::kAuto, DTypeChoice::kAuto);
  const auto models = families::open_family(family::find_model_files(argv[1]), options);

  family::AnimateRequest request;
  request.reference = argv[2];
  request.poses = argv[3];
  const auto video = open_video_writer(argv[4], {.width = request.width, .height = request.height});
  Progress silent;
  const auto report = pipeline::animate(*models, request, *video, silent);
  std::cout << argv[4] << ": " << report.frames << " frames\n";
} catch (const std::exception& error) {
  std::cerr << "animate: " << error.what() << '\n';
  return 1;
}
