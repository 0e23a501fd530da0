// Stretches of the work on a video.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace unianimate::pipeline {

/// In the order of the work; from kLoadModel on once for each segment.
enum class PhaseKind : std::uint8_t { kReadPictures, kEncodeReference, kLoadModel, kSample, kDecode, kWriteVideo };

/// Which part of the work.
struct PhasePlace {
  PhaseKind kind = PhaseKind::kReadPictures;
  std::size_t segment = 0;   ///< its number, from 0
  std::size_t segments = 1;  ///< 1 where the phase is one for the whole video

  /// For people and logs: "sample", "sample 2/3".
  [[nodiscard]] std::string name() const;
  bool operator==(const PhasePlace&) const = default;
};

/// What it took.
struct Phase {
  PhasePlace place;
  double seconds = 0;
  std::int64_t peak_bytes = 0;  ///< highest resident memory of the process during it
};

}  // namespace unianimate::pipeline
