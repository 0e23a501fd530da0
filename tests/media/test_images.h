// Pictures and files for the media tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <span>
#include <string>

#include "support/file_content.h"
#include "unianimate/core/error.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::testing {

inline std::filesystem::path test_data(const std::string& name) {
  const char* folder = std::getenv("UNIANIMATE_TEST_DATA");
  return std::filesystem::path(folder == nullptr ? "tests/data" : folder) / name;
}

/// The `size` low bytes, the lowest first.
inline std::string little_endian(std::uint32_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> 8 * i));
  return bytes;
}

/// The highest first.
inline std::string big_endian(std::uint32_t value, int size) {
  std::string bytes = little_endian(value, size);
  std::ranges::reverse(bytes);
  return bytes;
}

inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// Names of all that stands in a folder, hidden files included.
inline std::set<std::string> listing(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

inline Image noise(int width, int height, std::uint32_t seed) {
  Image image(width, height);
  std::mt19937 generator(seed);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(generator());
  return image;
}

/// A smooth picture that moves with `time`, as video encoders like it.
inline Image waves(int width, int height, int time) {
  Image image(width, height);
  auto* value = image.pixels.data();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      *value++ = static_cast<std::uint8_t>(128 + 100 * std::sin(0.09 * (x + time)));
      *value++ = static_cast<std::uint8_t>(128 + 100 * std::cos(0.07 * (y - time)));
      *value++ = static_cast<std::uint8_t>(128 + 100 * std::sin(0.05 * (x + y)));
    }
  }
  return image;
}

/// Peak signal-to-noise ratio in dB; infinite for equal pictures.
inline double psnr(const Image& a, const Image& b) {
  EXPECT_EQ(a.pixels.size(), b.pixels.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::pow(int{a.pixels[i]} - int{b.pixels[i]}, 2);
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.pixels.size()) / sum);
}

/// What `action` throws must be an Error of this kind; returns its message.
template <typename Action>
std::string error_of(ErrorKind kind, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace unianimate::testing
