// Blocks of queries against blocks of keys with a running softmax (Dao et al., "FlashAttention", 2022), for sequences
// of any stride, long or short. Compiled for AVX-512 with bf16.
#include "unianimate/nn/ops/avx512.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "unianimate/nn/ops/avx512_math.h"

namespace unianimate::nn {

namespace {

constexpr int kLanes = 16;       // 32-bit lanes of a vector
constexpr int kQueryBlock = 48;  // rows of scores in flight
constexpr int kKeyBlock = 128;   // columns of scores in flight
constexpr int kRowTile = 6;      // rows and
constexpr int kVectorTile = 4;   // vectors of one register tile
constexpr std::int64_t kQueriesPerTask = 2016;
constexpr std::int64_t kShortSequence = 64;  // as along frames: what is next is fetched ahead
constexpr std::int64_t kLargestDim = 256;

/// How elements are multiplied. A "group" is what a 32-bit lane holds: one float or two consecutive bf16. load() fills
/// the lanes of a vector, store() writes 16 results, store_weights() what values are multiplied with.
struct FloatElement {
  using Storage = float;
  using Weight = float;
  static constexpr int kGroup = 1;
  static __m512 load(const Storage* from) { return _mm512_loadu_ps(from); }
  static __m512 multiply_add(__m512 sum, __m512 a, __m512 b) { return _mm512_fmadd_ps(a, b, sum); }
  static void store(Storage* to, __m512 x) { _mm512_storeu_ps(to, x); }
  static void store_weights(Weight* to, __m512 x) { _mm512_store_ps(to, x); }
};

struct BFloat16Element {
  using Storage = std::uint16_t;
  using Weight = std::uint16_t;
  static constexpr int kGroup = 2;
  static __m512 load(const Storage* from) { return _mm512_loadu_ps(from); }
  static __m512 multiply_add(__m512 sum, __m512 a, __m512 b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  static void store(Storage* to, __m512 x) {
    const __m256bh rounded = _mm512_cvtneps_pbh(x);
    std::memcpy(to, &rounded, sizeof(rounded));
  }
  static void store_weights(Weight* to, __m512 x) { store(to, x); }
};

/// Elements in bf16, multiplied as floats.
struct WidenedElement {
  using Storage = std::uint16_t;
  using Weight = float;
  static constexpr int kGroup = 1;
  static __m512 load(const Storage* from) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  static __m512 multiply_add(__m512 sum, __m512 a, __m512 b) { return _mm512_fmadd_ps(a, b, sum); }
  static void store(Storage* to, __m512 x) { store_lanes(to, x, static_cast<__mmask16>(~0)); }
  static void store_weights(Weight* to, __m512 x) { _mm512_store_ps(to, x); }
};

/// The 32 bits at `from` in every lane.
__m512 broadcast(const void* from) {
  float lane;
  std::memcpy(&lane, from, sizeof(lane));
  return _mm512_set1_ps(lane);
}

/// Transposes 16 × 16 lanes in place.
void transpose(__m512 (&r)[kLanes]) {
  __m512 t[kLanes];
  for (int i = 0; i < kLanes; i += 4) {
    const __m512 a = _mm512_unpacklo_ps(r[i], r[i + 1]);
    const __m512 b = _mm512_unpackhi_ps(r[i], r[i + 1]);
    const __m512 c = _mm512_unpacklo_ps(r[i + 2], r[i + 3]);
    const __m512 d = _mm512_unpackhi_ps(r[i + 2], r[i + 3]);
    t[i] = _mm512_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm512_shuffle_ps(a, c, 0xEE);
    t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm512_shuffle_ps(b, d, 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    const __m512 a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88);
    const __m512 b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xDD);
    const __m512 c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
    const __m512 d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xDD);
    r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xDD);
    r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xDD);
  }
}

struct alignas(64) Vector {
  float lanes[kLanes];
};

/// Memory of one thread, kept between tasks.
template <typename Element>
struct Scratch {
  std::vector<Vector> keys;                                          // [key vector][group of d], a key in each lane
  std::vector<Vector> values;                                        // [group of keys][vector of d]
  alignas(64) std::array<float, kQueryBlock * kLargestDim> queries;  // [row][group of d]
  alignas(64) std::array<float, kQueryBlock * kKeyBlock> scores;
  alignas(64) std::array<typename Element::Weight, kQueryBlock * kKeyBlock> weights;
  alignas(64) std::array<float, kQueryBlock * kLargestDim> sums;
  std::array<float, kQueryBlock> maximum;
  std::array<float, kQueryBlock> total;
  std::array<float, kQueryBlock> correction;
};

template <typename Element>
class Task {
  using Storage = typename Element::Storage;

 public:
  Task(const AttentionProblem& problem, Scratch<Element>& scratch)
      : problem_(problem),
        scratch_(scratch),
        groups_(static_cast<int>(problem.dim) / Element::kGroup),
        dim_vectors_(static_cast<int>(problem.dim) / kLanes),
        key_vectors_((problem.keys + kLanes - 1) / kLanes) {}

  void run(std::int64_t task) {
    const std::int64_t chunks = (problem_.queries + kQueriesPerTask - 1) / kQueriesPerTask;
    const std::int64_t chunk = task % chunks;
    const std::int64_t head = task / chunks % problem_.heads;
    const std::int64_t n = task / chunks / problem_.heads;
    if (problem_.queries <= kShortSequence && problem_.keys <= kShortSequence) fetch_short(task + 1);
    pack_keys(at(problem_.k, n, 0, head));
    pack_values(at(problem_.v, n, 0, head));
    const std::int64_t end = std::min(problem_.queries, (chunk + 1) * kQueriesPerTask);
    for (std::int64_t first = chunk * kQueriesPerTask; first < end; first += kQueryBlock) {
      const int rows = static_cast<int>(std::min<std::int64_t>(kQueryBlock, end - first));
      attend(at(problem_.q, n, first, head), at(problem_.out, n, first, head), rows);
    }
  }

 private:
  /// Fetches the rows of a head, which the processor does not do by itself where they lie far apart. Inline because GCC
  /// drops calls of a function that does nothing else.
  [[gnu::always_inline]] void fetch(const AttentionOperand& operand, std::int64_t n, std::int64_t head,
                                    std::int64_t rows) const {
    constexpr std::int64_t kLine = 64 / sizeof(Storage);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t d = 0; d < problem_.dim; d += kLine) _mm_prefetch(at(operand, n, row, head) + d, _MM_HINT_T0);
    }
  }

  [[gnu::always_inline]] void fetch_short(std::int64_t task) const {
    const std::int64_t head = task % problem_.heads;
    const std::int64_t n = task / problem_.heads;
    if (n >= problem_.batch) return;
    fetch(problem_.q, n, head, problem_.queries);
    fetch(problem_.k, n, head, problem_.keys);
    fetch(problem_.v, n, head, problem_.keys);
    fetch(problem_.out, n, head, problem_.queries);
  }

  static Storage* at(const AttentionOperand& operand, std::int64_t n, std::int64_t row, std::int64_t head) {
    auto* data = static_cast<Storage*>(const_cast<void*>(operand.data));
    return data + n * operand.batch + row * operand.row + head * operand.head;
  }

  void pack_keys(const Storage* keys) {
    scratch_.keys.resize(static_cast<std::size_t>(key_vectors_ * groups_));
    for (std::int64_t vector = 0; vector < key_vectors_; ++vector) {
      for (int group = 0; group < groups_; group += kLanes) {
        __m512 tile[kLanes];
        for (int lane = 0; lane < kLanes; ++lane) {
          const std::int64_t key = vector * kLanes + lane;
          tile[lane] = key < problem_.keys ? Element::load(keys + key * problem_.k.row + group * Element::kGroup)
                                           : _mm512_setzero_ps();
        }
        transpose(tile);
        Vector* to = scratch_.keys.data() + vector * groups_ + group;
        for (int i = 0; i < kLanes; ++i) _mm512_store_ps(to[i].lanes, tile[i]);
      }
    }
  }

  void pack_values(const Storage* values) {
    const std::int64_t key_groups = key_vectors_ * kLanes / Element::kGroup;
    scratch_.values.resize(static_cast<std::size_t>(key_groups * dim_vectors_));
    for (std::int64_t group = 0; group < key_groups; ++group) {
      Vector* to = scratch_.values.data() + group * dim_vectors_;
      if constexpr (Element::kGroup == 1) {
        for (int v = 0; v < dim_vectors_; ++v) {
          _mm512_store_ps(to[v].lanes, group < problem_.keys
                                           ? Element::load(values + group * problem_.v.row + v * kLanes)
                                           : _mm512_setzero_ps());
        }
      } else {
        for (int v = 0; v < dim_vectors_; v += 2) interleave(values, 2 * group, v, to + v);
      }
    }
  }

  /// 32 bf16 of rows `key` and `key` + 1 from the 16·v-th on, pairwise into two vectors.
  void interleave(const Storage* values, std::int64_t key, int v, Vector* to) const {
    const auto load = [&](std::int64_t row) {
      return row < problem_.keys ? _mm512_loadu_si512(values + row * problem_.v.row + v * kLanes)
                                 : _mm512_setzero_si512();
    };
    alignas(64) static constexpr auto kLow = interleaving_indices(0);
    alignas(64) static constexpr auto kHigh = interleaving_indices(16);
    const __m512i a = load(key);
    const __m512i b = load(key + 1);
    _mm512_store_si512(to[0].lanes, _mm512_permutex2var_epi16(a, _mm512_load_si512(kLow.data()), b));
    _mm512_store_si512(to[1].lanes, _mm512_permutex2var_epi16(a, _mm512_load_si512(kHigh.data()), b));
  }

  static constexpr std::array<std::uint16_t, 32> interleaving_indices(int start) {
    std::array<std::uint16_t, 32> indices{};
    for (int i = 0; i < 16; ++i) {
      indices[2 * i] = static_cast<std::uint16_t>(start + i);
      indices[2 * i + 1] = static_cast<std::uint16_t>(32 + start + i);
    }
    return indices;
  }

  void pack_queries(const Storage* q, int rows) {
    for (int row = 0; row < rows; ++row) {
      for (int group = 0; group < groups_; group += kLanes) {
        _mm512_store_ps(scratch_.queries.data() + row * groups_ + group,
                        Element::load(q + row * problem_.q.row + group * Element::kGroup));
      }
    }
  }

  void attend(const Storage* q, Storage* out, int rows) {
    pack_queries(q, rows);
    std::fill_n(scratch_.sums.data(), rows * problem_.dim, 0.0F);
    std::fill_n(scratch_.total.data(), rows, 0.0F);
    std::fill_n(scratch_.maximum.data(), rows, -std::numeric_limits<float>::infinity());
    constexpr std::int64_t kVectorsPerBlock = kKeyBlock / kLanes;
    for (std::int64_t first = 0; first < key_vectors_; first += kVectorsPerBlock) {
      const int vectors = static_cast<int>(std::min(kVectorsPerBlock, key_vectors_ - first));
      score(first, rows, vectors);
      const auto valid = static_cast<int>(std::min<std::int64_t>(problem_.keys - first * kLanes, kKeyBlock));
      softmax(rows, vectors, valid);
      accumulate(first * kLanes / Element::kGroup, rows, vectors * kLanes / Element::kGroup);
    }
    for (int row = 0; row < rows; ++row) {
      const __m512 inverse = _mm512_set1_ps(1.0F / scratch_.total[row]);
      for (int d = 0; d < problem_.dim; d += kLanes) {
        const __m512 sum = _mm512_load_ps(scratch_.sums.data() + row * problem_.dim + d);
        Element::store(out + row * problem_.out.row + d, _mm512_mul_ps(sum, inverse));
      }
    }
  }

  /// Calls f<rows, vectors> for register tiles that cover rows × vectors.
  template <typename F>
  static void for_each_tile(int rows, int vectors, F&& f) {
    for (int row = 0; row < rows; row += kRowTile) {
      for (int vector = 0; vector < vectors; vector += kVectorTile) {
        with_size<kRowTile>(std::min(kRowTile, rows - row), [&](auto tile_rows) {
          with_size<kVectorTile>(std::min(kVectorTile, vectors - vector),
                                 [&](auto tile_vectors) { f(row, vector, tile_rows, tile_vectors); });
        });
      }
    }
  }
  /// f with `size`, 1 … kLargest, as a constant.
  template <int kLargest, typename F>
  static void with_size(int size, F&& f) {
    if constexpr (kLargest > 1) {
      if (size < kLargest) return with_size<kLargest - 1>(size, f);
    }
    f(std::integral_constant<int, kLargest>());
  }

  /// scores = q · kᵀ of `vectors` key vectors from `first` on.
  void score(std::int64_t first, int rows, int vectors) {
    for_each_tile(rows, vectors, [&](int row, int vector, auto tile_rows, auto tile_vectors) {
      __m512 sum[kRowTile][kVectorTile];
      for (int r = 0; r < tile_rows; ++r) {
        for (int v = 0; v < tile_vectors; ++v) sum[r][v] = _mm512_setzero_ps();
      }
      const Vector* keys = scratch_.keys.data() + (first + vector) * groups_;
      const float* query = scratch_.queries.data() + row * groups_;
      for (int group = 0; group < groups_; ++group) {
        __m512 key[kVectorTile];
        for (int v = 0; v < tile_vectors; ++v) key[v] = _mm512_load_ps(keys[v * groups_ + group].lanes);
        for (int r = 0; r < tile_rows; ++r) {
          const __m512 a = broadcast(query + r * groups_ + group);
          for (int v = 0; v < tile_vectors; ++v) sum[r][v] = Element::multiply_add(sum[r][v], a, key[v]);
        }
      }
      for (int r = 0; r < tile_rows; ++r) {
        for (int v = 0; v < tile_vectors; ++v) {
          _mm512_store_ps(scratch_.scores.data() + (row + r) * kKeyBlock + (vector + v) * kLanes, sum[r][v]);
        }
      }
    });
  }

  /// weights = exp(scale·(scores − running maximum)), and what the sums so far must be multiplied with.
  void softmax(int rows, int vectors, int valid) {
    const __m512 minus_infinity = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
    const int tail = valid - (vectors - 1) * kLanes;
    const auto tail_mask = static_cast<__mmask16>((1U << std::min(tail, kLanes)) - 1);
    const float scale = problem_.scale * kLog2E;
    for (int row = 0; row < rows; ++row) {
      float* scores = scratch_.scores.data() + row * kKeyBlock;
      __m512 last = _mm512_load_ps(scores + (vectors - 1) * kLanes);
      last = _mm512_mask_mov_ps(minus_infinity, tail_mask, last);
      _mm512_store_ps(scores + (vectors - 1) * kLanes, last);
      __m512 highest = last;
      for (int v = 0; v + 1 < vectors; ++v) highest = _mm512_max_ps(highest, _mm512_load_ps(scores + v * kLanes));
      const float maximum = std::max(scratch_.maximum[row], _mm512_reduce_max_ps(highest));
      const __m512 shift = _mm512_set1_ps(maximum * scale);
      __m512 total = _mm512_setzero_ps();
      typename Element::Weight* weights = scratch_.weights.data() + row * kKeyBlock;
      for (int v = 0; v < vectors; ++v) {
        const __m512 score = _mm512_load_ps(scores + v * kLanes);
        const __m512 weight = exp2_of_nonpositive(_mm512_fmsub_ps(score, _mm512_set1_ps(scale), shift));
        total = _mm512_add_ps(total, weight);
        Element::store_weights(weights + v * kLanes, weight);
      }
      const __m512 change = _mm512_set1_ps((scratch_.maximum[row] - maximum) * scale);
      const float correction = _mm512_cvtss_f32(exp2_of_nonpositive(change));
      scratch_.correction[row] = correction;
      scratch_.total[row] = scratch_.total[row] * correction + _mm512_reduce_add_ps(total);
      scratch_.maximum[row] = maximum;
    }
  }

  /// sums = sums · correction + weights · values.
  void accumulate(std::int64_t first_group, int rows, int key_groups) {
    const auto dim = static_cast<int>(problem_.dim);
    for_each_tile(rows, dim_vectors_, [&](int row, int vector, auto tile_rows, auto tile_vectors) {
      __m512 sum[kRowTile][kVectorTile];
      float* sums = scratch_.sums.data() + row * dim + vector * kLanes;
      for (int r = 0; r < tile_rows; ++r) {
        const __m512 correction = _mm512_set1_ps(scratch_.correction[row + r]);
        for (int v = 0; v < tile_vectors; ++v) {
          sum[r][v] = _mm512_mul_ps(_mm512_load_ps(sums + r * dim + v * kLanes), correction);
        }
      }
      const Vector* values = scratch_.values.data() + first_group * dim_vectors_ + vector;
      const typename Element::Weight* weights = scratch_.weights.data() + row * kKeyBlock;
      for (int group = 0; group < key_groups; ++group) {
        __m512 value[kVectorTile];
        for (int v = 0; v < tile_vectors; ++v) value[v] = _mm512_load_ps(values[group * dim_vectors_ + v].lanes);
        for (int r = 0; r < tile_rows; ++r) {
          const __m512 weight = broadcast(weights + r * kKeyBlock + group * Element::kGroup);
          for (int v = 0; v < tile_vectors; ++v) sum[r][v] = Element::multiply_add(sum[r][v], weight, value[v]);
        }
      }
      for (int r = 0; r < tile_rows; ++r) {
        for (int v = 0; v < tile_vectors; ++v) _mm512_store_ps(sums + r * dim + v * kLanes, sum[r][v]);
      }
    });
  }

  const AttentionProblem& problem_;
  Scratch<Element>& scratch_;
  int groups_;       ///< of a row of q or k
  int dim_vectors_;  ///< of 32-bit lanes, in a row of v
  std::int64_t key_vectors_;
};

bool has_whole_vectors(const AttentionProblem& problem) {
  return problem.dim % 32 == 0 && problem.dim >= 32 && problem.dim <= kLargestDim;
}

template <typename Element>
void attention_of(const AttentionProblem& problem, const ParallelFor& parallel_for) {
  const std::int64_t chunks = (problem.queries + kQueriesPerTask - 1) / kQueriesPerTask;
  parallel_for(problem.batch * problem.heads * chunks, [&](std::int64_t first, std::int64_t last) {
    thread_local Scratch<Element> scratch;
    Task<Element> task(problem, scratch);
    for (std::int64_t i = first; i < last; ++i) task.run(i);
  });
}

}  // namespace

bool avx512_takes_attention(const AttentionProblem& problem) {
  return has_whole_vectors(problem) || avx512_takes_short_attention(problem);
}

void avx512_attention_fp32(const AttentionProblem& problem, const ParallelFor& parallel_for) {
  if (!has_whole_vectors(problem)) return avx512_short_attention_fp32(problem, parallel_for);
  attention_of<FloatElement>(problem, parallel_for);
}

void avx512_attention_bf16(const AttentionProblem& problem, const ParallelFor& parallel_for) {
  if (!has_whole_vectors(problem)) return avx512_short_attention_bf16(problem, parallel_for);
  attention_of<BFloat16Element>(problem, parallel_for);
}

void avx512_attention_bf16_widened(const AttentionProblem& problem, const ParallelFor& parallel_for) {
  if (!has_whole_vectors(problem)) return avx512_short_attention_bf16(problem, parallel_for);
  attention_of<WidenedElement>(problem, parallel_for);
}

}  // namespace unianimate::nn
