// What every face of the program calls: a picture and a video of somebody become a video, with its job and sound.
// usage: make_video MODELS_FOLDER PICTURE MOTION VIDEO
#include <iostream>

#include "unianimate/core/device.h"
#include "unianimate/families/families.h"
#include "unianimate/media/film/still_pictures.h"
#include "unianimate/studio/studio.h"

int main(int argc, char** argv) try {
  if (argc != 5) throw std::invalid_argument("usage: make_video MODELS_FOLDER PICTURE MOTION VIDEO");
  using namespace unianimate;
  load_cuda_libraries(DeviceChoice::kAuto);
  read_further_pictures();
  family::RuntimeOptions runtime;
  runtime.compute = choose_compute(DeviceChoice::kAuto, DTypeChoice::kAuto);

  studio::VideoOrder order;
  order.job.request = families::default_request(argv[1]);
  order.job.request.reference = argv[2];
  order.motion = argv[3];
  order.job.output = argv[4];
  struct : studio::JobObserver {
    void note(const std::string& message) override { std::cerr << message << '\n'; }
  } observer;
  const auto video = studio::Studio::open(std::filesystem::path(argv[1]), runtime).make(order, observer);
  std::cout << argv[4] << ": " << video.report.frames << " frames\n";
} catch (const std::exception& error) {
  std::cerr << "make_video: " << error.what() << '\n';
  return 1;
}
