// GroupNorm in three kernels: sums of chunks of rows for every channel, statistics of every group, the result.
#pragma once

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::nn {

/// Rows are cut into chunks, so that few large images fill a card as well.
struct GroupNormSplit {
  std::int64_t rows;  ///< of a chunk; the last one may have fewer
  std::int64_t chunks;
};

inline GroupNormSplit split_of(const GroupNormProblem& problem) {
  constexpr std::int64_t kFewestRows = 32;
  constexpr std::int64_t kMostChunks = 256;
  const std::int64_t wanted = ceil_div(problem.rows, kMostChunks);
  const std::int64_t rows = wanted < kFewestRows ? kFewestRows : wanted;
  return {rows, ceil_div(problem.rows, rows)};
}

/// Of a chunk and channel. Taken of the differences from the channel's first element, so that large means cost no
/// digits, and shifts nothing.
struct GroupNormSums {
  float sum;
  float squares;
};

struct GroupNormStatistics {
  float mean;
  float scale;  ///< one by the standard deviation
};

/// Memory that the kernels need besides, and what lies there.
struct GroupNormScratch {
  GroupNormSums* sums;              ///< (batch, chunks, channels)
  GroupNormStatistics* statistics;  ///< (batch, groups)
};

inline std::int64_t group_norm_scratch_bytes(const GroupNormProblem& problem) {
  const std::int64_t sums = problem.batch * split_of(problem).chunks * problem.channels;
  return sums * static_cast<std::int64_t>(sizeof(GroupNormSums)) +
         problem.batch * problem.groups * static_cast<std::int64_t>(sizeof(GroupNormStatistics));
}

inline GroupNormScratch group_norm_scratch(const GroupNormProblem& problem, void* memory) {
  auto* const sums = static_cast<GroupNormSums*>(memory);
  return {sums,
          reinterpret_cast<GroupNormStatistics*>(sums + problem.batch * split_of(problem).chunks * problem.channels)};
}

/// What is added to an image's channel before all.
template <typename T, typename Execution>
UNIANIMATE_KERNEL float shift_of(const Execution& execution, const GroupNormProblem& problem, std::int64_t image,
                                 std::int64_t channel) {
  if (problem.shift == nullptr) return 0;
  const T* const shifts = static_cast<const T*>(problem.shift) + image / problem.images_per_shift * problem.channels;
  return execution.to_float(shifts[channel]);
}

/// How the threads of a block lie over a chunk: side by side along the channels, in as many lines as there is room for.
template <int kPack>
struct GroupNormTiling {
  static constexpr int kThreads = 256;

  GroupNormProblem problem;
  GroupNormSplit split;

  struct Place {
    std::int64_t image;
    std::int64_t chunk;
    std::int64_t first_row;
    std::int64_t last_row;
    std::int64_t channel;
    int line;
    bool is_inside;
  };

  [[nodiscard]] std::int64_t slabs() const { return ceil_div(problem.channels / kPack, kThreads); }
  [[nodiscard]] std::int64_t blocks() const { return problem.batch * split.chunks * slabs(); }

  /// Threads side by side.
  [[nodiscard]] UNIANIMATE_KERNEL int columns() const {
    const std::int64_t packs = problem.channels / kPack;
    return packs < kThreads ? static_cast<int>(packs) : kThreads;
  }
  [[nodiscard]] UNIANIMATE_KERNEL int lines() const { return kThreads / columns(); }

  [[nodiscard]] UNIANIMATE_KERNEL Place place(std::int64_t block, int thread) const {
    const std::int64_t packs = problem.channels / kPack;
    const std::int64_t slab_count = (packs + kThreads - 1) / kThreads;
    const std::int64_t slab = block % slab_count;
    const std::int64_t chunk = block / slab_count % split.chunks;
    const std::int64_t pack = slab * kThreads + thread % columns();
    const int line = thread / columns();
    const std::int64_t end = (chunk + 1) * split.rows;
    return {block / slab_count / split.chunks,       chunk,        chunk * split.rows,
            end < problem.rows ? end : problem.rows, pack * kPack, line,
            pack < packs && line < lines()};
  }
};

template <typename T, int kPack>
struct GroupNormSumsKernel {
  static constexpr int kThreads = GroupNormTiling<kPack>::kThreads;

  GroupNormTiling<kPack> tiling;
  GroupNormSums* sums;

  [[nodiscard]] std::int64_t blocks() const { return tiling.blocks(); }
  [[nodiscard]] std::size_t shared_bytes() const { return sizeof(GroupNormSums) * kPack * kThreads; }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const GroupNormProblem& problem = tiling.problem;
    const int thread = execution.thread();
    const auto place = tiling.place(execution.block(), thread);
    // Element i of thread t at i · kThreads + t.
    auto* const of_lines = reinterpret_cast<GroupNormSums*>(execution.shared());
    if (place.is_inside) {
      GroupNormSums own[kPack] = {};
      const T* const image =
          static_cast<const T*>(problem.x) + place.image * problem.rows * problem.channels + place.channel;
      const auto first = execution.template load<Pack<T, kPack>>(image);
      for (std::int64_t row = place.first_row + place.line; row < place.last_row; row += tiling.lines()) {
        const auto x = execution.template load<Pack<T, kPack>>(image + row * problem.channels);
        for (int i = 0; i < kPack; ++i) {
          const float difference = execution.to_float(x.elements[i]) - execution.to_float(first.elements[i]);
          own[i].sum += difference;
          own[i].squares += difference * difference;
        }
      }
      for (int i = 0; i < kPack; ++i) of_lines[i * kThreads + thread] = own[i];
    }
    execution.barrier();
    if (!place.is_inside || place.line != 0) return;
    GroupNormSums* const to =
        sums + (place.image * tiling.split.chunks + place.chunk) * problem.channels + place.channel;
    for (int i = 0; i < kPack; ++i) {
      GroupNormSums total = {};
      for (int line = 0; line < tiling.lines(); ++line) {
        const GroupNormSums part = of_lines[i * kThreads + line * tiling.columns() + thread];
        total.sum += part.sum;
        total.squares += part.squares;
      }
      to[i] = total;
    }
  }
};

/// One block for each image and group.
template <typename T>
struct GroupNormStatisticsKernel {
  static constexpr int kThreads = 128;
  static constexpr int kWarps = kThreads / kWarp;

  GroupNormProblem problem;
  GroupNormSplit split;
  GroupNormScratch scratch;

  [[nodiscard]] std::int64_t blocks() const { return problem.batch * problem.groups; }
  [[nodiscard]] std::size_t shared_bytes() const { return 2 * kWarps * sizeof(double); }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const int thread = execution.thread();
    const std::int64_t image = execution.block() / problem.groups;
    const std::int64_t width = problem.channels / problem.groups;
    const std::int64_t channel = execution.block() % problem.groups * width;
    const T* const first = static_cast<const T*>(problem.x) + image * problem.rows * problem.channels + channel;
    const GroupNormSums* const sums = scratch.sums + image * split.chunks * problem.channels + channel;
    const auto beginning = [&](std::int64_t i) -> double {
      return execution.to_float(first[i]) + shift_of<T>(execution, problem, image, channel + i);
    };
    const double origin = beginning(0);

    // Of the differences from the origin.
    double sum = 0;
    double squares = 0;
    for (std::int64_t i = thread; i < split.chunks * width; i += kThreads) {
      const std::int64_t chunk = i / width;
      const std::int64_t left = problem.rows - chunk * split.rows;
      const auto rows = static_cast<double>(left < split.rows ? left : split.rows);
      const double shift = beginning(i % width) - origin;
      const GroupNormSums part = sums[chunk * problem.channels + i % width];
      sum += part.sum + rows * shift;
      squares += part.squares + shift * (2 * part.sum + rows * shift);
    }
    sum = warp_sum(execution, sum);
    squares = warp_sum(execution, squares);

    auto* const of_warps = reinterpret_cast<double*>(execution.shared());
    if (thread % kWarp == 0) {
      of_warps[thread / kWarp] = sum;
      of_warps[kWarps + thread / kWarp] = squares;
    }
    execution.barrier();
    if (thread != 0) return;
    double total_sum = 0;
    double total_squares = 0;
    for (int warp = 0; warp < kWarps; ++warp) {
      total_sum += of_warps[warp];
      total_squares += of_warps[kWarps + warp];
    }
    const auto count = static_cast<double>(problem.rows * width);
    const double mean = total_sum / count;
    const double variance = total_squares / count - mean * mean;
    scratch.statistics[execution.block()] = {
        static_cast<float>(origin + mean), static_cast<float>(1.0 / sqrt((variance < 0 ? 0 : variance) + problem.eps))};
  }
};

template <typename T, int kPack>
struct GroupNormResultKernel {
  static constexpr int kThreads = GroupNormTiling<kPack>::kThreads;

  GroupNormTiling<kPack> tiling;
  const GroupNormStatistics* statistics;

  [[nodiscard]] std::int64_t blocks() const { return tiling.blocks(); }
  [[nodiscard]] std::size_t shared_bytes() const { return 0; }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const GroupNormProblem& problem = tiling.problem;
    const auto place = tiling.place(execution.block(), execution.thread());
    if (!place.is_inside) return;
    float mean[kPack];
    float scale[kPack];
    float bias[kPack];
    float shift[kPack];
    for (int i = 0; i < kPack; ++i) {
      const std::int64_t channel = place.channel + i;
      shift[i] = shift_of<T>(execution, problem, place.image, channel);
      const std::int64_t group = channel / (problem.channels / problem.groups);
      const GroupNormStatistics of_group = statistics[place.image * problem.groups + group];
      mean[i] = of_group.mean;
      scale[i] = of_group.scale * execution.to_float(static_cast<const T*>(problem.weight)[channel]);
      bias[i] = execution.to_float(static_cast<const T*>(problem.bias)[channel]);
    }
    const std::int64_t image = place.image * problem.rows * problem.channels + place.channel;
    for (std::int64_t row = place.first_row + place.line; row < place.last_row; row += tiling.lines()) {
      const std::int64_t at = image + row * problem.channels;
      const auto x = execution.template load<Pack<T, kPack>>(static_cast<const T*>(problem.x) + at);
      Pack<T, kPack> out;
      for (int i = 0; i < kPack; ++i) {
        float y = (execution.to_float(x.elements[i]) + shift[i] - mean[i]) * scale[i] + bias[i];
        if (problem.silu) y = y / (1.0F + expf(-y));
        out.elements[i] = execution.template from_float<T>(y);
      }
      execution.store(static_cast<T*>(problem.out) + at, out);
    }
  }
};

template <typename T, int kPack, typename Launch>
void launch_group_norm_in_packs(const GroupNormProblem& problem, void* memory, Launch& launch) {
  const GroupNormSplit split = split_of(problem);
  const GroupNormScratch scratch = group_norm_scratch(problem, memory);
  const GroupNormTiling<kPack> tiling{problem, split};
  launch(GroupNormSumsKernel<T, kPack>{tiling, scratch.sums});
  launch(GroupNormStatisticsKernel<T>{problem, split, scratch});
  launch(GroupNormResultKernel<T, kPack>{tiling, scratch.statistics});
}

/// launch(kernel) for what the problem needs, in this order. `memory`: group_norm_scratch_bytes().
template <typename T, typename Launch>
void launch_group_norm(const GroupNormProblem& problem, void* memory, Launch&& launch) {
  if (problem.channels % kPackOf<T> == 0 && is_aligned(problem.x) && is_aligned(problem.out)) {
    launch_group_norm_in_packs<T, kPackOf<T>>(problem, memory, launch);
  } else {
    launch_group_norm_in_packs<T, 1>(problem, memory, launch);
  }
}

}  // namespace unianimate::nn
