#include "nn/ops/cuda/references.h"

#include <cmath>
#include <numbers>

namespace unianimate::testing {

namespace {

std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

/// The softmax of the scores of one query.
Numbers weights_of(const nn::AttentionProblem& problem, const double* q, const double* k) {
  Numbers weights(at(problem.keys));
  double largest = -INFINITY;
  for (std::int64_t key = 0; key < problem.keys; ++key) {
    double score = 0;
    for (std::int64_t d = 0; d < problem.dim; ++d) score += q[d] * k[key * problem.k.row + d];
    weights[at(key)] = score * static_cast<double>(problem.scale);
    if (!(weights[at(key)] <= largest)) largest = weights[at(key)];
  }
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);
  for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace

Numbers attention_reference(const nn::AttentionProblem& problem, const Numbers& q, const Numbers& k, const Numbers& v) {
  Numbers out;
  for (std::int64_t n = 0; n < problem.batch; ++n) {
    for (std::int64_t query = 0; query < problem.queries; ++query) {
      for (std::int64_t head = 0; head < problem.heads; ++head) {
        const auto start = [&](const Numbers& x, const nn::AttentionOperand& operand) {
          return x.data() + n * operand.batch + head * operand.head;
        };
        const Numbers weights = weights_of(problem, start(q, problem.q) + query * problem.q.row, start(k, problem.k));
        for (std::int64_t d = 0; d < problem.dim; ++d) {
          double sum = 0;
          for (std::int64_t key = 0; key < problem.keys; ++key) {
            sum += weights[at(key)] * start(v, problem.v)[key * problem.v.row + d];
          }
          out.push_back(sum);
        }
      }
    }
  }
  return out;
}

Numbers group_norm_reference(const nn::GroupNormProblem& problem, Numbers x, const Numbers& weight, const Numbers& bias,
                             const Numbers& shift) {
  for (std::size_t i = 0; i < x.size() && !shift.empty(); ++i) {
    const auto image = static_cast<std::int64_t>(i) / problem.channels / problem.rows;
    const std::int64_t channel = static_cast<std::int64_t>(i) % problem.channels;
    x[i] += shift[at(image / problem.images_per_shift * problem.channels + channel)];
  }
  const std::int64_t width = problem.channels / problem.groups;
  const auto count = static_cast<double>(problem.rows * width);
  Numbers out(x.size());
  for (std::int64_t block = 0; block < problem.batch * problem.groups; ++block) {
    const std::int64_t image = block / problem.groups * problem.rows * problem.channels;
    const std::int64_t first = block % problem.groups * width;
    const auto for_all = [&](const auto& body) {
      for (std::int64_t row = 0; row < problem.rows; ++row) {
        for (std::int64_t c = first; c < first + width; ++c) body(at(image + row * problem.channels + c), at(c));
      }
    };
    double mean = 0;
    for_all([&](std::size_t i, std::size_t) { mean += x[i] / count; });
    double variance = 0;
    for_all([&](std::size_t i, std::size_t) { variance += (x[i] - mean) * (x[i] - mean) / count; });
    for_all([&](std::size_t i, std::size_t c) {
      const double y = (x[i] - mean) / std::sqrt(variance + problem.eps) * weight[c] + bias[c];
      out[i] = problem.silu ? y / (1 + std::exp(-y)) : y;
    });
  }
  return out;
}

Numbers layer_norm_reference(const nn::LayerNormProblem& problem, const Numbers& sum, const Numbers& weight,
                             const Numbers& bias) {
  const auto count = static_cast<double>(problem.channels);
  Numbers out;
  for (std::int64_t row = 0; row < problem.rows; ++row) {
    const double* const x = sum.data() + row * problem.channels;
    double mean = 0;
    for (std::int64_t c = 0; c < problem.channels; ++c) mean += x[c] / count;
    double variance = 0;
    for (std::int64_t c = 0; c < problem.channels; ++c) variance += (x[c] - mean) * (x[c] - mean) / count;
    for (std::int64_t c = 0; c < problem.channels; ++c) {
      out.push_back((x[c] - mean) / std::sqrt(variance + problem.eps) * weight[at(c)] + bias[at(c)]);
    }
  }
  return out;
}

Numbers causal_convolution_reference(const nn::CausalConvolutionProblem& problem, const Numbers& x,
                                     const Numbers& weight, const Numbers& bias) {
  Numbers out;
  for (std::int64_t n = 0; n < problem.batch; ++n) {
    for (std::int64_t t = 0; t < problem.length; ++t) {
      for (std::int64_t p = 0; p < problem.pixels; ++p) {
        for (std::int64_t c = 0; c < problem.channels; ++c) {
          double sum = bias[at(c)];
          for (std::int64_t back = 0; back < nn::kCausalTaps; ++back) {
            const std::int64_t seen = problem.reversed ? t + back : t - back;
            if (seen < -problem.history || seen >= problem.length) continue;
            sum += weight[at((nn::kCausalTaps - 1 - back) * problem.channels + c)] *
                   x[at(n * problem.x.batch + (seen + problem.history) * problem.x.time + p * problem.x.pixel + c)];
          }
          out.push_back(sum / (1 + std::exp(-sum)));
        }
      }
    }
  }
  return out;
}

Numbers selective_scan_reference(const nn::SelectiveScanProblem& problem, const ScanNumbers& numbers, Numbers& kept) {
  Numbers out(at(problem.batch * problem.length * problem.pixels * problem.channels));
  kept.assign(problem.keep_after > 0 ? at(problem.batch * problem.pixels * problem.states * problem.channels) : 0, 0);
  for (std::int64_t i = 0; i < problem.batch * problem.pixels * problem.channels; ++i) {
    const std::int64_t channel = i % problem.channels;
    const std::int64_t pixel = i / problem.channels % problem.pixels;
    const std::int64_t batch = i / problem.channels / problem.pixels;
    const auto seen = [&](const Numbers& of, const nn::SequenceOperand& operand, std::int64_t time, std::int64_t c) {
      return of[at(batch * operand.batch + time * operand.time + pixel * operand.pixel + c)];
    };
    const auto state = [&](std::int64_t n) {
      return at(((batch * problem.pixels + pixel) * problem.states + n) * problem.channels + channel);
    };
    Numbers h(at(problem.states));
    for (std::int64_t n = 0; n < problem.states && !numbers.start.empty(); ++n) h[at(n)] = numbers.start[state(n)];
    for (std::int64_t step = 1; step <= problem.length; ++step) {
      const std::int64_t t = problem.reversed ? problem.length - step : step - 1;
      const double x = seen(numbers.x, problem.x, t, channel);
      const double d =
          std::log1p(std::exp(seen(numbers.step, problem.step, t, channel) + numbers.step_bias[at(channel)]));
      double y = numbers.skip[at(channel)] * x;
      for (std::int64_t n = 0; n < problem.states; ++n) {
        h[at(n)] = std::exp(d * numbers.a[at(n * problem.channels + channel)]) * h[at(n)] +
                   d * x * seen(numbers.b, problem.b, t, n);
        y += h[at(n)] * seen(numbers.c, problem.c, t, n);
        if (step == problem.keep_after) kept[state(n)] = h[at(n)];
      }
      if (!numbers.gate.empty()) {
        const double gate = seen(numbers.gate, problem.gate, t, channel);
        y *= gate / (1 + std::exp(-gate));
      }
      out[at(((batch * problem.length + t) * problem.pixels + pixel) * problem.channels + channel)] = y;
    }
  }
  return out;
}

Numbers gated_gelu_reference(const nn::GatedGeluProblem& problem, const Numbers& in) {
  Numbers out;
  for (std::int64_t row = 0; row < problem.rows; ++row) {
    for (std::int64_t i = 0; i < problem.width; ++i) {
      const double value = in[at(row * 2 * problem.width + i)];
      const double gate = in[at(row * 2 * problem.width + problem.width + i)];
      out.push_back(value * (0.5 * gate * std::erfc(-gate / std::numbers::sqrt2)));
    }
  }
  return out;
}

}  // namespace unianimate::testing
