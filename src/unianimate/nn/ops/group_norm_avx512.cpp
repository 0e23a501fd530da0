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

/// The parts of (batch, rows, channels) that one thread takes at a time: an image's rows [first, last).
struct RowRange {
  std::int64_t image;
  std::int64_t first;
  std::int64_t last;
};

class RowRanges {
 public:
  explicit RowRanges(const GroupNormProblem& problem)
      : rows_(problem.rows),
        chunks_((problem.rows + kRowsPerChunk - 1) / kRowsPerChunk),
        count_(problem.batch * chunks_) {}

  [[nodiscard]] std::int64_t of_image() const { return chunks_; }
  [[nodiscard]] std::int64_t count() const { return count_; }

  template <typename F>
  void for_each(const ParallelFor& parallel_for, const F& f) const {
    parallel_for(count_, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t row = i % chunks_ * kRowsPerChunk;
        f(i, RowRange{i / chunks_, row, std::min(rows_, row + kRowsPerChunk)});
      }
    });
  }

 private:
  std::int64_t rows_;
  std::int64_t chunks_;
  std::int64_t count_;
};

/// Two sums over rows for every channel: partial ones in 32 bits, those of ranges and images in double, added in one
/// order whoever takes which range.
class ChannelSums {
 public:
  ChannelSums(const RowRanges& ranges, std::size_t channels)
      : ranges_(ranges), channels_(channels), sums_(static_cast<std::size_t>(ranges.count()) * 2 * channels) {}

  /// add(row, first sums, second sums) of every row of every range.
  template <typename Add>
  void take(const ParallelFor& parallel_for, const Add& add) {
    ranges_.for_each(parallel_for, [&](std::int64_t i, const RowRange& range) {
      double* totals = sums_.data() + static_cast<std::size_t>(i) * 2 * channels_;
      std::vector<float> partial(2 * channels_);
      for (std::int64_t first = range.first; first < range.last; first += kRowsPerPartialSum) {
        std::ranges::fill(partial, 0.0F);
        const std::int64_t last = std::min(range.last, first + kRowsPerPartialSum);
        for (std::int64_t row = first; row < last; ++row) {
          add(range.image, row, partial.data(), partial.data() + channels_);
        }
        for (std::size_t c = 0; c < partial.size(); ++c) totals[c] += static_cast<double>(partial[c]);
      }
    });
  }

  /// (2, channels)
  [[nodiscard]] std::vector<double> of_image(std::int64_t n) const {
    std::vector<double> totals(2 * channels_);
    for (std::int64_t i = n * ranges_.of_image(); i < (n + 1) * ranges_.of_image(); ++i) {
      const double* sums = sums_.data() + static_cast<std::size_t>(i) * 2 * channels_;
      for (std::size_t c = 0; c < totals.size(); ++c) totals[c] += sums[c];
    }
    return totals;
  }

 private:
  const RowRanges& ranges_;
  std::size_t channels_;
  std::vector<double> sums_;  ///< (ranges, 2, channels)
};

template <typename Storage>
class GroupNormRun {
 public:
  GroupNormRun(const GroupNormProblem& problem, const ParallelFor& parallel_for)
      : problem_(problem),
        parallel_for_(parallel_for),
        channels_(static_cast<std::size_t>(problem.channels)),
        ranges_(problem),
        mean_(static_cast<std::size_t>(problem.batch) * channels_),
        inverse_(mean_.size()),
        scale_(mean_.size()),
        weight_(channels_),
        bias_(channels_) {
    for (std::size_t c = 0; c < channels_; ++c) {
      weight_[c] = to_float(static_cast<const Storage*>(problem.weight)[c]);
      bias_[c] = to_float(static_cast<const Storage*>(problem.bias)[c]);
    }
    take_statistics();
  }

  void normalise() const {
    ranges_.for_each(parallel_for_, [&](std::int64_t, const RowRange& range) {
      const float* mean = of_image(mean_, range.image);
      const float* scale = of_image(scale_, range.image);
      const float* bias = bias_.data();
      for (std::int64_t row = range.first; row < range.last; ++row) {
        const Storage* in = at(problem_.x, range.image, row);
        Storage* out = at(problem_.out, range.image, row);
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
    });
  }

  /// With g the gradient before SiLU and y = (x - mean) · inverse: of the bias Σ g, of the weight Σ g y, and of x
  /// inverse · (w g - means over the group of w g and, times y, of w g y).
  void take_gradients(const GroupNormGradientsProblem& problem) const {
    ChannelSums sums(ranges_, channels_);
    // Restricted, as compilers ask of so many pairs of arrays only whether they overlap.
    sums.take(parallel_for_,
              [&](std::int64_t n, std::int64_t row, float* __restrict of_bias, float* __restrict of_weight) {
                const Storage* x = at(problem_.x, n, row);
                const Storage* of_out = at(problem.of_out, n, row);
                const float* mean = of_image(mean_, n);
                const float* inverse = of_image(inverse_, n);
                const float* weight = weight_.data();
                const float* bias = bias_.data();
                const auto add = [&](std::size_t c, float y, float gradient) {
                  of_bias[c] += gradient;
                  of_weight[c] += gradient * y;
                };
                if (problem_.silu) {
                  for (std::size_t c = 0; c < channels_; ++c) {
                    const float y = (to_float(x[c]) - mean[c]) * inverse[c];
                    add(c, y, to_float(of_out[c]) * silu_slope(y * weight[c] + bias[c]));
                  }
                } else {
                  for (std::size_t c = 0; c < channels_; ++c) {
                    add(c, (to_float(x[c]) - mean[c]) * inverse[c], to_float(of_out[c]));
                  }
                }
              });
    std::vector<double> of_parameters(2 * channels_);
    std::vector<float> shift(mean_.size());
    std::vector<float> slope(mean_.size());
    const std::size_t width = channels_ / static_cast<std::size_t>(problem_.groups);
    const double elements = static_cast<double>(problem_.rows) * static_cast<double>(width);
    for (std::int64_t n = 0; n < problem_.batch; ++n) {
      const std::vector<double> totals = sums.of_image(n);
      for (std::size_t c = 0; c < totals.size(); ++c) of_parameters[c] += totals[c];
      for (std::size_t first = 0; first < channels_; first += width) {
        double sum = 0;
        double sum_with_y = 0;
        for (std::size_t c = first; c < first + width; ++c) {
          sum += weight_[c] * totals[c];
          sum_with_y += weight_[c] * totals[channels_ + c];
        }
        const std::size_t at = static_cast<std::size_t>(n) * channels_ + first;
        std::fill_n(shift.begin() + static_cast<std::ptrdiff_t>(at), width, static_cast<float>(sum / elements));
        std::fill_n(slope.begin() + static_cast<std::ptrdiff_t>(at), width, static_cast<float>(sum_with_y / elements));
      }
    }
    for (std::size_t c = 0; c < channels_; ++c) {
      problem.of_bias[c] = static_cast<float>(of_parameters[c]);
      problem.of_weight[c] = static_cast<float>(of_parameters[channels_ + c]);
    }
    take_gradient_of_x(problem, shift, slope);
  }

 private:
  /// Row `row` of image `n` of what is like x.
  Storage* at(const void* data, std::int64_t n, std::int64_t row) const {
    return static_cast<Storage*>(const_cast<void*>(data)) + (n * problem_.rows + row) * problem_.channels;
  }
  /// Its row of (batch, channels).
  [[nodiscard]] const float* of_image(const std::vector<float>& values, std::int64_t n) const {
    return values.data() + static_cast<std::size_t>(n) * channels_;
  }

  /// From the sums and sums of squares of each channel, relative to the channel's first row: that keeps the squares
  /// small where a channel's mean is far from 0.
  void take_statistics() {
    ChannelSums sums(ranges_, channels_);
    sums.take(parallel_for_, [&](std::int64_t n, std::int64_t row, float* difference_sum, float* square_sum) {
      const Storage* origin = at(problem_.x, n, 0);
      const Storage* values = at(problem_.x, n, row);
      for (std::size_t c = 0; c < channels_; ++c) {
        const float difference = to_float(values[c]) - to_float(origin[c]);
        difference_sum[c] += difference;
        square_sum[c] += difference * difference;
      }
    });
    const auto rows = static_cast<double>(problem_.rows);
    const std::size_t width = channels_ / static_cast<std::size_t>(problem_.groups);
    for (std::int64_t n = 0; n < problem_.batch; ++n) {
      const Storage* origin = at(problem_.x, n, 0);
      const std::vector<double> totals = sums.of_image(n);
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
          const std::size_t place = static_cast<std::size_t>(n) * channels_ + c;
          mean_[place] = static_cast<float>(mean);
          inverse_[place] = static_cast<float>(inverse);
          scale_[place] = static_cast<float>(inverse * static_cast<double>(weight_[c]));
        }
      }
    }
  }

  /// `shift`, `slope`: (batch, channels), the two means over each group.
  void take_gradient_of_x(const GroupNormGradientsProblem& problem, const std::vector<float>& shift,
                          const std::vector<float>& slope) const {
    ranges_.for_each(parallel_for_, [&](std::int64_t, const RowRange& range) {
      const float* mean = of_image(mean_, range.image);
      const float* inverse = of_image(inverse_, range.image);
      const float* shifts = of_image(shift, range.image);
      const float* slopes = of_image(slope, range.image);
      const float* weight = weight_.data();
      const float* bias = bias_.data();
      for (std::int64_t row = range.first; row < range.last; ++row) {
        const Storage* x = at(problem_.x, range.image, row);
        const Storage* of_out = at(problem.of_out, range.image, row);
        Storage* __restrict of_x = at(problem.of_x, range.image, row);
        const auto through = [&](std::size_t c, float y, float gradient) {
          of_x[c] = from_float<Storage>(inverse[c] * (weight[c] * gradient - shifts[c] - y * slopes[c]));
        };
        if (problem_.silu) {
          for (std::size_t c = 0; c < channels_; ++c) {
            const float y = (to_float(x[c]) - mean[c]) * inverse[c];
            through(c, y, to_float(of_out[c]) * silu_slope(y * weight[c] + bias[c]));
          }
        } else {
          for (std::size_t c = 0; c < channels_; ++c) {
            through(c, (to_float(x[c]) - mean[c]) * inverse[c], to_float(of_out[c]));
          }
        }
      }
    });
  }

  const GroupNormProblem& problem_;
  const ParallelFor& parallel_for_;
  std::size_t channels_;
  RowRanges ranges_;
  std::vector<float> mean_;     ///< (batch, channels), that of the channel's group
  std::vector<float> inverse_;  ///< likewise, of the deviation
  std::vector<float> scale_;    ///< likewise, that with the channel's weight
  std::vector<float> weight_;   ///< (channels)
  std::vector<float> bias_;     ///< (channels)
};

}  // namespace

void avx512_group_norm_fp32(const GroupNormProblem& problem, const ParallelFor& parallel_for) {
  GroupNormRun<float>(problem, parallel_for).normalise();
}

void avx512_group_norm_bf16(const GroupNormProblem& problem, const ParallelFor& parallel_for) {
  GroupNormRun<std::uint16_t>(problem, parallel_for).normalise();
}

void avx512_group_norm_gradients_fp32(const GroupNormGradientsProblem& problem, const ParallelFor& parallel_for) {
  GroupNormRun<float>(problem.forward, parallel_for).take_gradients(problem);
}

void avx512_group_norm_gradients_bf16(const GroupNormGradientsProblem& problem, const ParallelFor& parallel_for) {
  GroupNormRun<std::uint16_t>(problem.forward, parallel_for).take_gradients(problem);
}

}  // namespace unianimate::nn
