// What a processor or a card may compute faster than ATen, as plain pointers and numbers: sources that are compiled for
// another device include this and nothing of libtorch.
#pragma once

#include <cstdint>
#include <functional>

namespace at {
class Tensor;
}

namespace unianimate::nn {

struct Convolution;

/// The number formats of kernels.
enum class KernelElement { kFloat, kBFloat16, kHalf };

/// Runs body(first, last) for ranges that cover 0 … count-1, on as many threads as the caller likes.
using ParallelFor =
    std::function<void(std::int64_t count, const std::function<void(std::int64_t first, std::int64_t last)>& body)>;

/// Element (n, position, head, d) of an operand lies at data + n·batch + position·row + head·head + d, in elements.
struct AttentionOperand {
  const void* data;
  std::int64_t batch;
  std::int64_t row;
  std::int64_t head;
};

/// out = softmax(scale · q kᵀ) v for every batch entry and head.
struct AttentionProblem {
  std::int64_t batch;
  std::int64_t queries;
  std::int64_t keys;
  std::int64_t heads;
  std::int64_t dim;
  float scale;
  AttentionOperand q;
  AttentionOperand k;
  AttentionOperand v;
  AttentionOperand out;  ///< written to
};

/// What a loss's gradient by `out` of an AttentionProblem, `of_out`, makes of those by q, k and v, which are written
/// to.
struct AttentionGradientsProblem {
  AttentionProblem forward;  ///< its `out` is not looked at
  AttentionOperand of_out;
  AttentionOperand of_q;
  AttentionOperand of_k;
  AttentionOperand of_v;
};

/// GroupNorm, then SiLU where asked for, on (batch, rows, channels) with dense channels last. Statistics are taken over
/// the rows and the channels of a group. `weight`, `bias`: (channels). `shift`, where it is not null: image i has row
/// i / images_per_shift of (…, channels) added to each of its rows beforehand.
struct GroupNormProblem {
  std::int64_t batch;
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t groups;
  double eps;
  bool silu;
  const void* x;
  const void* weight;
  const void* bias;
  void* out;  ///< like x
  const void* shift = nullptr;
  std::int64_t images_per_shift = 1;
};

/// What a loss's gradient by `out` of a GroupNormProblem without shift, `of_out`, makes of those by x, weight and bias,
/// which are written to.
struct GroupNormGradientsProblem {
  GroupNormProblem forward;  ///< its `out` is not looked at
  const void* of_out;        ///< like x
  void* of_x;                ///< like x
  float* of_weight;          ///< (channels)
  float* of_bias;            ///< (channels)
};

/// sum = x + added, rounded to the format, and out = LayerNorm of that, for rows of `channels`. `weight`, `bias`:
/// (channels). `sum` may be x or added. Where `added` is null, out = LayerNorm of x and there is no sum.
struct LayerNormProblem {
  std::int64_t rows;
  std::int64_t channels;
  double eps;
  const void* x;
  const void* added;
  const void* weight;
  const void* bias;
  void* sum;
  void* out;
};

/// out = x + bias + residual for rows of `channels`, rounded once. `bias`: (channels). `out` may be x or residual.
struct ResidualProblem {
  std::int64_t rows;
  std::int64_t channels;
  const void* x;
  const void* bias;
  const void* residual;
  void* out;
};

/// out = value · GELU(gate), GELU exact, for rows of (value, gate): in (rows, 2·width) -> out (rows, width).
struct GatedGeluProblem {
  std::int64_t rows;
  std::int64_t width;
  const void* in;
  void* out;
};

/// What a loss's gradient by `out` of a GatedGeluProblem, `of_out`, makes of that by `in`, which is written to.
struct GatedGeluGradientsProblem {
  GatedGeluProblem forward;  ///< its `out` is not looked at
  const void* of_out;
  void* of_in;
};

/// Element (n, t, pixel, c) of a batch of sequences lies at data + n·batch + t·time + pixel·pixel + c, in elements:
/// each pixel is a sequence of its own.
struct SequenceOperand {
  const void* data;
  std::int64_t batch;
  std::int64_t time;
  std::int64_t pixel;
};

/// Taps of causal convolutions.
constexpr int kCausalTaps = 4;

/// out_t = SiLU(bias + Σ_k weight_k x_{t − 3 + k}), each channel by itself; `reversed`: time runs from the last to the
/// first. What lies before the first is zero, but for `history` steps that lie before x.data.
struct CausalConvolutionProblem {
  std::int64_t batch;
  std::int64_t length;
  std::int64_t pixels;
  std::int64_t channels;
  bool reversed;
  std::int64_t history;  ///< 0, or kCausalTaps - 1 where time is not reversed
  SequenceOperand x;
  const float* weight;  ///< (taps, channels), the newest last
  const float* bias;    ///< (channels)
  void* out;            ///< (batch, length, pixels, channels), dense
};

/// The selective scan of Mamba (Gu and Dao, arXiv 2312.00752), for every pixel and channel and in 32 bits, with
/// d = softplus(step + step_bias): h_t = exp(d a) h_{t−1} + d b_t x_t for each of the states, then
/// out_t = (Σ c_t h_t + skip x_t) · SiLU(gate_t). `reversed`: time runs from the last to the first.
struct SelectiveScanProblem {
  std::int64_t batch;
  std::int64_t length;
  std::int64_t pixels;
  std::int64_t channels;
  std::int64_t states;
  bool reversed;
  SequenceOperand x;
  SequenceOperand step;
  SequenceOperand b;       ///< (…, states)
  SequenceOperand c;       ///< (…, states)
  SequenceOperand gate;    ///< data null: none
  const float* step_bias;  ///< (channels)
  const float* a;          ///< (states, channels), none above zero
  const float* skip;       ///< (channels)
  const float* start;      ///< (batch, pixels, states, channels) h before the first step; null: zero
  float* kept;             ///< likewise, h after `keep_after` steps, is written to; null: nobody wants it
  std::int64_t keep_after;
  void* out;  ///< (batch, length, pixels, channels), dense
};

/// What a loss's gradient by `out` of a SelectiveScanProblem that starts at zero, `of_out`, makes of those by its
/// inputs, which are written to.
struct SelectiveScanGradientsProblem {
  SelectiveScanProblem forward;  ///< its `start`, `kept` and `out` are not looked at
  SequenceOperand of_out;
  SequenceOperand of_x;
  SequenceOperand of_step;
  SequenceOperand of_b;
  SequenceOperand of_c;
  SequenceOperand of_gate;  ///< data null where there is no gate
  float* of_shared;         ///< (states + 2, channels): of a, of the skip, of the step's bias
};

/// The smallest and the largest of `count` elements; neither is a number where an element is none, or infinite.
struct ValueRange {
  std::int64_t count;
  const void* x;
  float low = 0;   ///< written to
  float high = 0;  ///< written to
};

/// out = round(x · inverse_scale + zero), between 0 and `highest`, which 8 bits hold.
struct QuantizeProblem {
  std::int64_t count;
  const void* x;
  float inverse_scale;
  float zero;
  float highest;
  std::uint8_t* out;
};

/// The operations of one device in one number format; null: ATen does it. All pointers of a problem are to that
/// device's memory and that format, with at least one element; nothing is tracked for gradients, which `x_gradients`
/// make of what `x` was given; they are null where `x` is. Kernels of other devices than the CPU queue their work as
/// that device's ATen does, which has been told the card, and have no use for the threads.
struct Ops {
  bool (*takes_attention)(const AttentionProblem& problem) = nullptr;  ///< not null where `attention` is not
  void (*attention)(const AttentionProblem& problem, const ParallelFor& parallel_for) = nullptr;
  bool (*takes_attention_gradients)(const AttentionProblem& problem) = nullptr;  ///< not null where the next is not
  void (*attention_gradients)(const AttentionGradientsProblem& problem, const ParallelFor& parallel_for) = nullptr;
  void (*group_norm)(const GroupNormProblem& problem, const ParallelFor& parallel_for) = nullptr;
  void (*group_norm_gradients)(const GroupNormGradientsProblem& problem, const ParallelFor& parallel_for) = nullptr;
  void (*gated_gelu)(const GatedGeluProblem& problem, const ParallelFor& parallel_for) = nullptr;
  void (*gated_gelu_gradients)(const GatedGeluGradientsProblem& problem, const ParallelFor& parallel_for) = nullptr;
  void (*layer_norm)(const LayerNormProblem& problem, const ParallelFor& parallel_for) = nullptr;
  /// Not null where convolutions would add their bias in a pass of its own: they leave it to this and to `group_norm`,
  /// which then takes a shift.
  void (*residual)(const ResidualProblem& problem, const ParallelFor& parallel_for) = nullptr;
  void (*causal_convolution)(const CausalConvolutionProblem& problem, const ParallelFor& parallel_for) = nullptr;
  bool (*takes_selective_scan)(const SelectiveScanProblem& problem) = nullptr;  ///< not null where the scan is not
  void (*selective_scan)(const SelectiveScanProblem& problem, const ParallelFor& parallel_for) = nullptr;
  void (*selective_scan_gradients)(const SelectiveScanGradientsProblem& problem,
                                   const ParallelFor& parallel_for) = nullptr;
  void (*value_range)(ValueRange& problem, const ParallelFor& parallel_for) = nullptr;
  void (*quantize)(const QuantizeProblem& problem, const ParallelFor& parallel_for) = nullptr;
  /// As linear() of linear.h.
  at::Tensor (*linear)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const at::Tensor& residual) = nullptr;
  /// As convolve() of convolution.h.
  at::Tensor (*convolution)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const Convolution& convolution) = nullptr;
};

/// The value of at::DeviceType: 0 the CPU, 1 CUDA.
using KernelDevice = int;

/// From now on `ops` do what they name on this device in this format; they take the place of what was there. What is
/// compiled for a card calls this when its library is loaded. Not to be called while operations run.
void register_ops(KernelDevice device, KernelElement element, const Ops& ops);

}  // namespace unianimate::nn
