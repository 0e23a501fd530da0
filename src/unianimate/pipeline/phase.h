// Stretches of the work on a video.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace unianimate::pipeline {

/// In the order of the work; kLoadModel, kSample and kDecode once for each segment. kTakePoses is the work of whoever
/// makes the pose pictures.
enum class PhaseKind : std::uint8_t {
  kTakePoses,
  kReadPictures,
  kEncodeReference,
  kLoadModel,
  kSample,
  kDecode,
  kWriteVideo
};

/// For people and logs: "sample".
std::string phase_name(PhaseKind kind);

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
  double operations = 0;        ///< of the models, floating-point, a multiply-add counted as two; 0: not counted
  std::int64_t peak_bytes = 0;  ///< highest resident memory of the process during it
};

}  // namespace unianimate::pipeline
