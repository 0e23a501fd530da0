// Where what is done of a video is kept, so that another process can go on with it.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "unianimate/core/named_tensor.h"
#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/image.h"

namespace unianimate::pipeline {

/// Segments are counted from 0. What is saved is taken back as it was, bit for bit, or not at all. All throw
/// Error(kEnvironment) where something cannot be written or read, Error(kInput) for what cannot be gone on from.
class SegmentStore {
 public:
  virtual ~SegmentStore() = default;

  /// The sampling of a segment is saved after every so many steps, at least 1, and after the last.
  [[nodiscard]] virtual std::int64_t save_every() const = 0;

  /// The seed of a segment, where it is another than the request's.
  [[nodiscard]] virtual std::optional<std::uint64_t> seed(std::size_t segment) const = 0;

  /// The tensors of a segment in the middle of sampling into `tensors`, which are contiguous, on the CPU, and of the
  /// names, shapes and types that were saved; and the state of the sampler's generator. Returns how many steps they
  /// have behind them: 0 where none are saved or, with a note, where they are damaged.
  virtual std::int64_t load_sampling(std::size_t segment, const NamedTensors& tensors, at::Generator& generator,
                                     Progress& progress) = 0;
  /// Replaces what load_sampling() gives.
  virtual void save_sampling(std::size_t segment, std::int64_t steps, const NamedTensors& tensors,
                             const at::Generator& generator) = 0;

  /// Frames of a segment that are finished. What is damaged is forgotten, with what comes after it and a note.
  virtual std::int64_t finished_frames(std::size_t segment, Progress& progress) = 0;
  /// The next frames of a segment, at least one.
  virtual void add_frames(std::size_t segment, std::span<const Image> frames) = 0;
  /// All finished frames in order.
  virtual void read_frames(std::size_t segment, const std::function<void(const Image&)>& take) const = 0;

 protected:
  SegmentStore() = default;
  SegmentStore(const SegmentStore&) = default;
  SegmentStore& operator=(const SegmentStore&) = default;
};

}  // namespace unianimate::pipeline
