// Any bytes as a picture file, of all kinds that are read.
#include "unianimate/core/error.h"
#include "unianimate/media/film/still_pictures.h"
#include "unianimate/media/pictures/image_reader.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using unianimate::Image;
  unianimate::read_further_pictures();
  constexpr unianimate::ReadLimits kLimits{.max_pixels = 250'000};
  try {
    const Image image = unianimate::decode_image({reinterpret_cast<const std::byte*>(data), size}, "fuzz", kLimits);
    if (image.pixels.size() != image.row_bytes() * static_cast<std::size_t>(image.height)) __builtin_trap();
  } catch (const unianimate::Error&) {  // refused, as it should be
  }
  return 0;
}
