// Attention of short sequences, whose scores are kept whole, and its gradients. Compiled for AVX-512.
#include "unianimate/nn/ops/avx512.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "unianimate/nn/ops/avx512_math.h"
#include "unianimate/nn/ops/vector_math.h"

namespace unianimate::nn {

namespace {

constexpr int kFloats = 16;  // of a vector
constexpr std::int64_t kLongest = 64;
constexpr std::int64_t kWidest = 256;
constexpr int kTileRows = 6;

/// Rows of floats with a stride that is a multiple of a vector.
struct alignas(64) SequenceFloats {
  std::array<float, kLongest * kWidest> values;
};
struct alignas(64) Scores {
  std::array<float, kLongest * kLongest> values;  ///< [query][key]
};

struct ShortScratch {
  SequenceFloats q, k, v, of_out, product, across;
  Scores weights, of_scores;
};

/// Element (row, inner) of the left side of a product.
struct Left {
  const float* data;
  int row_stride;
  int inner_stride;
};

template <int Rows>
void multiply_rows(const Left& left, const float* right, int right_stride, int inner, float* out, int out_stride,
                   int vectors) {
  for (int vector = 0; vector < vectors; ++vector) {
    __m512 sum[Rows];
    for (int r = 0; r < Rows; ++r) sum[r] = _mm512_setzero_ps();
    for (int i = 0; i < inner; ++i) {
      const __m512 b = _mm512_load_ps(right + i * right_stride + vector * kFloats);
      for (int r = 0; r < Rows; ++r) {
        const __m512 a = _mm512_set1_ps(left.data[r * left.row_stride + i * left.inner_stride]);
        sum[r] = _mm512_fmadd_ps(a, b, sum[r]);
      }
    }
    for (int r = 0; r < Rows; ++r) _mm512_store_ps(out + r * out_stride + vector * kFloats, sum[r]);
  }
}

template <int Rows = kTileRows>
void multiply_up_to(int rows, const Left& left, const float* right, int right_stride, int inner, float* out,
                    int out_stride, int vectors) {
  if constexpr (Rows > 1) {
    if (rows < Rows) {
      return multiply_up_to<Rows - 1>(rows, left, right, right_stride, inner, out, out_stride, vectors);
    }
  }
  multiply_rows<Rows>(left, right, right_stride, inner, out, out_stride, vectors);
}

/// out (rows, vectors) = left (rows, inner) · right (inner, vectors)
void multiply(int rows, const Left& left, const float* right, int right_stride, int inner, float* out, int out_stride,
              int vectors) {
  for (int row = 0; row < rows; row += kTileRows) {
    multiply_up_to(std::min(kTileRows, rows - row),
                   Left{left.data + row * left.row_stride, left.row_stride, left.inner_stride}, right, right_stride,
                   inner, out + row * out_stride, out_stride, vectors);
  }
}

template <typename Storage>
class ShortAttention {
 public:
  ShortAttention(const AttentionProblem& problem, ShortScratch& scratch)
      : problem_(problem),
        scratch_(scratch),
        queries_(static_cast<int>(problem.queries)),
        keys_(static_cast<int>(problem.keys)),
        dim_(static_cast<int>(problem.dim)),
        dim_vectors_((dim_ + kFloats - 1) / kFloats),
        key_vectors_((keys_ + kFloats - 1) / kFloats),
        row_(dim_vectors_ * kFloats),
        scores_row_(key_vectors_ * kFloats) {}

  void attend(std::int64_t n, std::int64_t head) {
    load(problem_.v, n, head, keys_, scratch_.v);
    take_weights(n, head);
    multiply(queries_, {weights(), scores_row_, 1}, floats(scratch_.v), row_, keys_, floats(scratch_.product), row_,
             dim_vectors_);
    store(scratch_.product, problem_.out, n, head, queries_);
  }

  void take_gradients(const AttentionGradientsProblem& problem, std::int64_t n, std::int64_t head) {
    load(problem_.v, n, head, keys_, scratch_.v);
    load(problem.of_out, n, head, queries_, scratch_.of_out);
    take_weights(n, head);
    const float* of_out = floats(scratch_.of_out);
    float* product = floats(scratch_.product);
    multiply(keys_, {weights(), 1, scores_row_}, of_out, row_, queries_, product, row_, dim_vectors_);
    store(scratch_.product, problem.of_v, n, head, keys_);

    lay_across(scratch_.v);
    float* of_scores = scratch_.of_scores.values.data();
    multiply(queries_, {of_out, row_, 1}, floats(scratch_.across), scores_row_, dim_, of_scores, scores_row_,
             key_vectors_);
    through_softmax(of_scores);
    multiply(queries_, {of_scores, scores_row_, 1}, floats(scratch_.k), row_, keys_, product, row_, dim_vectors_);
    store(scratch_.product, problem.of_q, n, head, queries_);
    multiply(keys_, {of_scores, 1, scores_row_}, floats(scratch_.q), row_, queries_, product, row_, dim_vectors_);
    store(scratch_.product, problem.of_k, n, head, keys_);
  }

 private:
  static float* floats(SequenceFloats& sequence) { return sequence.values.data(); }
  [[nodiscard]] const float* weights() const { return scratch_.weights.values.data(); }

  static Storage* at(const AttentionOperand& operand, std::int64_t n, std::int64_t head) {
    return static_cast<Storage*>(const_cast<void*>(operand.data)) + n * operand.batch + head * operand.head;
  }

  void load(const AttentionOperand& operand, std::int64_t n, std::int64_t head, int rows, SequenceFloats& into) const {
    const Storage* from = at(operand, n, head);
    float* to = floats(into);
    for (int row = 0; row < rows; ++row, from += operand.row, to += row_) {
      for (int d = 0; d < dim_; ++d) to[d] = to_float(from[d]);
      std::fill(to + dim_, to + row_, 0.0F);
    }
  }

  void store(SequenceFloats& from, const AttentionOperand& operand, std::int64_t n, std::int64_t head, int rows) const {
    Storage* to = at(operand, n, head);
    const float* values = floats(from);
    for (int row = 0; row < rows; ++row, to += operand.row, values += row_) {
      for (int d = 0; d < dim_; ++d) to[d] = from_float<Storage>(values[d]);
    }
  }

  /// across = rows of all keys, [d][key]
  void lay_across(SequenceFloats& rows) {
    const float* from = floats(rows);
    float* to = floats(scratch_.across);
    for (int d = 0; d < dim_; ++d) {
      float* line = to + d * scores_row_;
      for (int key = 0; key < keys_; ++key) line[key] = from[key * row_ + d];
      std::fill(line + keys_, line + scores_row_, 0.0F);
    }
  }

  /// Of the last vector of a row of scores, what belongs to keys.
  [[nodiscard]] __mmask16 tail() const {
    return static_cast<__mmask16>((1U << (keys_ - (key_vectors_ - 1) * kFloats)) - 1);
  }

  /// weights = softmax(scale · q kᵀ), 0 behind the last key; q and k stay in floats.
  void take_weights(std::int64_t n, std::int64_t head) {
    load(problem_.q, n, head, queries_, scratch_.q);
    load(problem_.k, n, head, keys_, scratch_.k);
    lay_across(scratch_.k);
    float* scores = scratch_.weights.values.data();
    multiply(queries_, {floats(scratch_.q), row_, 1}, floats(scratch_.across), scores_row_, dim_, scores, scores_row_,
             key_vectors_);
    const __m512 scale = _mm512_set1_ps(problem_.scale * kLog2E);
    for (int query = 0; query < queries_; ++query, scores += scores_row_) {
      __m512 highest = _mm512_set1_ps(-INFINITY);
      for (int v = 0; v < key_vectors_; ++v) {
        const __mmask16 valid = v + 1 < key_vectors_ ? static_cast<__mmask16>(~0) : tail();
        highest = _mm512_mask_max_ps(highest, valid, highest, _mm512_load_ps(scores + v * kFloats));
      }
      const __m512 maximum = _mm512_set1_ps(_mm512_reduce_max_ps(highest));
      __m512 total = _mm512_setzero_ps();
      for (int v = 0; v < key_vectors_; ++v) {
        const __mmask16 valid = v + 1 < key_vectors_ ? static_cast<__mmask16>(~0) : tail();
        const __m512 score = _mm512_load_ps(scores + v * kFloats);
        const __m512 weight =
            _mm512_maskz_mov_ps(valid, exp2_of_nonpositive(_mm512_mul_ps(_mm512_sub_ps(score, maximum), scale)));
        total = _mm512_add_ps(total, weight);
        _mm512_store_ps(scores + v * kFloats, weight);
      }
      const __m512 inverse = _mm512_set1_ps(1.0F / _mm512_reduce_add_ps(total));
      for (int v = 0; v < key_vectors_; ++v) {
        _mm512_store_ps(scores + v * kFloats, _mm512_mul_ps(_mm512_load_ps(scores + v * kFloats), inverse));
      }
    }
  }

  /// From the gradient by the weights to that by q kᵀ, in place.
  void through_softmax(float* gradient) const {
    const float* weight = weights();
    const __m512 scale = _mm512_set1_ps(problem_.scale);
    for (int query = 0; query < queries_; ++query, gradient += scores_row_, weight += scores_row_) {
      __m512 sum = _mm512_setzero_ps();
      for (int v = 0; v < scores_row_; v += kFloats) {
        sum = _mm512_fmadd_ps(_mm512_load_ps(gradient + v), _mm512_load_ps(weight + v), sum);
      }
      const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum));
      for (int v = 0; v < scores_row_; v += kFloats) {
        const __m512 scaled = _mm512_mul_ps(scale, _mm512_load_ps(weight + v));
        _mm512_store_ps(gradient + v, _mm512_mul_ps(scaled, _mm512_sub_ps(_mm512_load_ps(gradient + v), mean)));
      }
    }
  }

  const AttentionProblem& problem_;
  ShortScratch& scratch_;
  int queries_;
  int keys_;
  int dim_;
  int dim_vectors_;
  int key_vectors_;
  int row_;         ///< floats from one row of a sequence to the next
  int scores_row_;  ///< likewise of scores
};

/// f(attention, n, head) of every head.
template <typename Storage, typename F>
void for_each_head(const AttentionProblem& problem, const ParallelFor& parallel_for, const F& f) {
  parallel_for(problem.batch * problem.heads, [&](std::int64_t first, std::int64_t last) {
    thread_local const auto kScratch = std::make_unique<ShortScratch>();
    ShortAttention<Storage> attention(problem, *kScratch);
    for (std::int64_t i = first; i < last; ++i) f(attention, i / problem.heads, i % problem.heads);
  });
}

template <typename Storage>
void short_attention_of(const AttentionProblem& problem, const ParallelFor& parallel_for) {
  for_each_head<Storage>(problem, parallel_for,
                         [](auto& attention, std::int64_t n, std::int64_t head) { attention.attend(n, head); });
}

template <typename Storage>
void short_gradients_of(const AttentionGradientsProblem& problem, const ParallelFor& parallel_for) {
  for_each_head<Storage>(problem.forward, parallel_for, [&](auto& attention, std::int64_t n, std::int64_t head) {
    attention.take_gradients(problem, n, head);
  });
}

}  // namespace

bool avx512_takes_short_attention(const AttentionProblem& problem) {
  return problem.queries <= kLongest && problem.keys <= kLongest && problem.dim <= kWidest;
}

void avx512_short_attention_fp32(const AttentionProblem& problem, const ParallelFor& parallel_for) {
  short_attention_of<float>(problem, parallel_for);
}

void avx512_short_attention_bf16(const AttentionProblem& problem, const ParallelFor& parallel_for) {
  short_attention_of<std::uint16_t>(problem, parallel_for);
}

void avx512_short_attention_gradients_fp32(const AttentionGradientsProblem& problem, const ParallelFor& parallel_for) {
  short_gradients_of<float>(problem, parallel_for);
}

void avx512_short_attention_gradients_bf16(const AttentionGradientsProblem& problem, const ParallelFor& parallel_for) {
  short_gradients_of<std::uint16_t>(problem, parallel_for);
}

}  // namespace unianimate::nn
