// Any bytes as the frames of a video or as a picture: the same ones make the same file, whatever is in memory that
// nobody wrote.
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"

namespace {

using unianimate::Image;

constexpr std::array kNames{"a.mp4", "a.webm", "a.mkv", "a.gif", "a.png", "a.jpg"};
constexpr int kMaxSide = 200;
constexpr int kMaxFrames = 6;

struct Request {
  const char* name = "";
  unianimate::VideoFormat format;
  std::vector<Image> frames;
};

// The first bytes choose the kind and the size, the others are pixels over and over.
Request request_from(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kChoices = 5;
  Request request;
  request.name = kNames.at(data[0] % kNames.size());
  request.format.width = 1 + data[1] % kMaxSide;
  request.format.height = 1 + data[2] % kMaxSide;
  request.format.threads = 1 + data[3] % 2;
  request.format.effort = data[3] < 128 ? unianimate::VideoEffort::kFull : unianimate::VideoEffort::kPreview;
  std::size_t at = 0;
  for (int i = 0; i <= data[4] % kMaxFrames; ++i) {
    Image& image = request.frames.emplace_back(request.format.width, request.format.height);
    std::ranges::generate(image.pixels, [&] { return data[kChoices + at++ % (size - kChoices)]; });
  }
  return request;
}

// Pieces of many sizes, written to and given back.
void fill_freed_memory(std::uint8_t byte) {
  constexpr std::size_t kLargest = 1 << 20;
  std::vector<std::unique_ptr<std::uint8_t[]>> pieces;
  for (std::size_t bytes = 16; bytes <= kLargest; bytes += bytes / 4) {
    auto& piece = pieces.emplace_back(std::make_unique<std::uint8_t[]>(bytes));
    std::fill_n(piece.get(), bytes, byte);
  }
}

std::string written(const Request& request, const std::filesystem::path& path) {
  if (path.extension() == ".png") return unianimate::encode_png(request.frames.front());
  if (path.extension() == ".jpg") return unianimate::encode_jpeg(request.frames.front());
  const auto sink = unianimate::open_video_writer(path, request.format);
  for (const Image& frame : request.frames) sink->write(frame);
  sink->finish();
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kFewest = 6;
  if (size < kFewest) return 0;
  static const unianimate::testing::TemporaryFolder folder;
  const Request request = request_from(data, size);
  fill_freed_memory(0x01);
  const std::string first = written(request, folder / request.name);
  fill_freed_memory(0xff);
  if (written(request, folder / request.name) != first) __builtin_trap();
  return 0;
}
