// Compiled for AVX-512. The loops are plain C++ for the compiler to vectorise.
#include "unianimate/nn/ops/avx512.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

namespace {

/// Rows whose 32-bit partial sums are added up before they go into the double ones.
constexpr std::int64_t kRowsPerPartialSum = 32;
/// Rows that one thread takes at a time.
constexpr std::int64_t kRowsPerChunk = 512;

template <typename Storage>
class GroupNormRun {
 public:
  explicit GroupNormRun(const GroupNormProblem& problem)
      : problem_(problem),
        channels_(static_cast<std::size_t>(problem.channels)),
        chunks_((problem.rows + kRowsPerChunk - 1) / kRowsPerChunk),
        sums_(static_cast<std::size_t>(problem.batch * chunks_) * 2 * channels_),
        mean_(static_cast<std::size_t>(problem.batch) * channels_),
        scale_(mean_.size()),
        bias_(channels_) {
    for (std::size_t c = 0; c < channels_; ++c) bias_[c] = to_float(static_cast<const Storage*>(problem.bias)[c]);
  }

  void run(const ParallelFor& parallel_for) {
    const std::int64_t tasks = problem_.batch * chunks_;
    parallel_for(tasks, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t task = first; task < last; ++task) sum(task);
    });
    for (std::int64_t n = 0; n < problem_.batch; ++n) finish_statistics(n);
    parallel_for(tasks, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t task = first; task < last; ++task) apply(task);
    });
  }

 private:
  [[nodiscard]] const Storage* x(std::int64_t n, std::int64_t row) const {
    return static_cast<const Storage*>(problem_.x) + (n * problem_.rows + row) * problem_.channels;
  }
  [[nodiscard]] std::int64_t first_row(std::int64_t task) const { return task % chunks_ * kRowsPerChunk; }
  [[nodiscard]] std::int64_t last_row(std::int64_t task) const {
    return std::min(problem_.rows, first_row(task) + kRowsPerChunk);
  }

  /// Sums and sums of squares of each channel over the rows of the task, relative to the channel's first row: that
  /// keeps the squares small where a channel's mean is far from 0.
  void sum(std::int64_t task) {
    const std::int64_t n = task / chunks_;
    double* total = sums_.data() + static_cast<std::size_t>(task) * 2 * channels_;
    double* total_of_squares = total + channels_;
    const Storage* origin = x(n, 0);
    std::vector<float> partial(2 * channels_);
    float* difference_sum = partial.data();
    float* square_sum = difference_sum + channels_;
    for (std::int64_t first = first_row(task); first < last_row(task); first += kRowsPerPartialSum) {
      std::ranges::fill(partial, 0.0F);
      const std::int64_t last = std::min(last_row(task), first + kRowsPerPartialSum);
      for (std::int64_t row = first; row < last; ++row) {
        const Storage* values = x(n, row);
        for (std::size_t c = 0; c < channels_; ++c) {
          const float difference = to_float(values[c]) - to_float(origin[c]);
          difference_sum[c] += difference;
          square_sum[c] += difference * difference;
        }
      }
      for (std::size_t c = 0; c < channels_; ++c) {
        total[c] += static_cast<double>(difference_sum[c]);
        total_of_squares[c] += static_cast<double>(square_sum[c]);
      }
    }
  }

  /// Turns the sums into what is taken from every channel and what it is then multiplied with.
  void finish_statistics(std::int64_t n) {
    const Storage* origin = x(n, 0);
    std::vector<double> totals(2 * channels_);
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
      const double* sums = sums_.data() + static_cast<std::size_t>(n * chunks_ + chunk) * 2 * channels_;
      for (std::size_t i = 0; i < totals.size(); ++i) totals[i] += sums[i];
    }
    const auto rows = static_cast<double>(problem_.rows);
    const std::size_t width = channels_ / static_cast<std::size_t>(problem_.groups);
    for (std::size_t first = 0; first < channels_; first += width) {
      double mean = 0;
      for (std::size_t c = first; c < first + width; ++c) mean += to_float(origin[c]) + totals[c] / rows;
      mean /= static_cast<double>(width);
      double variance = 0;
      for (std::size_t c = first; c < first + width; ++c) {
        const double offset = to_float(origin[c]) - mean;
        variance += totals[channels_ + c] / rows + 2 * offset * totals[c] / rows + offset * offset;
      }
      variance = std::max(0.0, variance / static_cast<double>(width));
      const double inverse = 1.0 / std::sqrt(variance + problem_.eps);
      for (std::size_t c = first; c < first + width; ++c) {
        const std::size_t at = static_cast<std::size_t>(n) * channels_ + c;
        mean_[at] = static_cast<float>(mean);
        scale_[at] = static_cast<float>(inverse * to_float(static_cast<const Storage*>(problem_.weight)[c]));
      }
    }
  }

  void apply(std::int64_t task) {
    const std::int64_t n = task / chunks_;
    const float* mean = mean_.data() + static_cast<std::size_t>(n) * channels_;
    const float* scale = scale_.data() + static_cast<std::size_t>(n) * channels_;
    const float* bias = bias_.data();
    for (std::int64_t row = first_row(task); row < last_row(task); ++row) {
      const Storage* in = x(n, row);
      Storage* out = static_cast<Storage*>(problem_.out) + (in - static_cast<const Storage*>(problem_.x));
      if (problem_.silu) {
        for (std::size_t c = 0; c < channels_; ++c) {
          out[c] = from_float<Storage>(silu((to_float(in[c]) - mean[c]) * scale[c] + bias[c]));
        }
      } else {
        for (std::size_t c = 0; c < channels_; ++c) {
          out[c] = from_float<Storage>((to_float(in[c]) - mean[c]) * scale[c] + bias[c]);
        }
      }
    }
  }

  const GroupNormProblem& problem_;
  std::size_t channels_;
  std::int64_t chunks_;
  std::vector<double> sums_;  ///< (batch, chunks, 2, channels)
  std::vector<float> mean_;   ///< (batch, channels)
  std::vector<float> scale_;  ///< (batch, channels)
  std::vector<float> bias_;   ///< (channels)
};

}  // namespace

void avx512_group_norm_fp32(const GroupNormProblem& problem, const ParallelFor& parallel_for) {
  GroupNormRun<float>(problem).run(parallel_for);
}

void avx512_group_norm_bf16(const GroupNormProblem& problem, const ParallelFor& parallel_for) {
  GroupNormRun<std::uint16_t>(problem).run(parallel_for);
}

}  // namespace unianimate::nn
