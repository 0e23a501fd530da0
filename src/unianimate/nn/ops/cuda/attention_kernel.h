// Attention over short sequences that need not lie together in memory, as those along the frames of a pixel.
#pragma once

#include <initializer_list>

#include "unianimate/nn/ops/cuda/execution.h"

namespace unianimate::nn {

/// One block for each batch entry and head. Queries, keys and values are brought into shared memory; then every warp
/// takes four queries at a time: its threads have two keys each for the scores, and a few elements of the head for the
/// result.
template <typename T, int kPack>
struct AttentionKernel {
  static constexpr int kThreads = 128;
  static constexpr int kMostKeys = 2 * kWarp;
  static constexpr int kMostDim = 4 * kWarp;
  static constexpr int kQueries = 4;

  AttentionProblem problem;
  /// Elements from one key to the next in shared memory: more than needed, so that neighbours lie in other banks.
  std::int64_t row = problem.dim + kPack;

  [[nodiscard]] std::int64_t blocks() const { return problem.batch * problem.heads; }
  [[nodiscard]] std::size_t shared_bytes() const {
    const std::int64_t bytes = problem.queries * problem.dim * static_cast<std::int64_t>(sizeof(float)) +
                               2 * problem.keys * row * static_cast<std::int64_t>(sizeof(T));
    return static_cast<std::size_t>(bytes);
  }

  template <typename Execution>
  UNIANIMATE_KERNEL void operator()(Execution& execution) const {
    const std::int64_t batch = execution.block() / problem.heads;
    const std::int64_t head = execution.block() % problem.heads;
    auto* const q = reinterpret_cast<float*>(execution.shared());
    T* const k = reinterpret_cast<T*>(q + problem.queries * problem.dim);
    T* const v = k + problem.keys * row;
    stage_queries(execution, start<const T>(problem.q, batch, head), q);
    stage(execution, start<const T>(problem.k, batch, head), problem.k.row, k);
    stage(execution, start<const T>(problem.v, batch, head), problem.v.row, v);
    execution.barrier();

    T* const out = start<T>(problem.out, batch, head);
    const int warp = execution.thread() / kWarp;
    for (std::int64_t query = warp * kQueries; query < problem.queries; query += kThreads / kWarp * kQueries) {
      float weights[kQueries][2];
      score(execution, q, k, query, weights);
      for (float(&pair)[2] : weights) soften(execution, pair);
      gather(execution, v, weights, query, out);
    }
  }

 private:
  template <typename E>
  UNIANIMATE_KERNEL static E* start(const AttentionOperand& operand, std::int64_t batch, std::int64_t head) {
    return static_cast<E*>(const_cast<void*>(operand.data)) + batch * operand.batch + head * operand.head;
  }

  template <typename Execution>
  UNIANIMATE_KERNEL void stage_queries(Execution& execution, const T* from, float* to) const {
    const std::int64_t packs = problem.dim / kPack;
    for (std::int64_t i = execution.thread(); i < problem.queries * packs; i += kThreads) {
      const std::int64_t d = i % packs * kPack;
      const auto pack = execution.template load<Pack<T, kPack>>(from + i / packs * problem.q.row + d);
      for (int e = 0; e < kPack; ++e) {
        to[i / packs * problem.dim + d + e] = execution.to_float(pack.elements[e]) * problem.scale;
      }
    }
  }

  template <typename Execution>
  UNIANIMATE_KERNEL void stage(Execution& execution, const T* from, std::int64_t from_row, T* to) const {
    const std::int64_t packs = problem.dim / kPack;
    for (std::int64_t i = execution.thread(); i < problem.keys * packs; i += kThreads) {
      const std::int64_t d = i % packs * kPack;
      execution.store(to + i / packs * row + d,
                      execution.template load<Pack<T, kPack>>(from + i / packs * from_row + d));
    }
  }

  /// The scores of the queries with this thread's keys; -inf where there is no such key. Queries beyond the last repeat
  /// it.
  template <typename Execution>
  UNIANIMATE_KERNEL void score(Execution& execution, const float* q, const T* k, std::int64_t query,
                               float (&scores)[kQueries][2]) const {
    for (int half = 0; half < 2; ++half) {
      const std::int64_t key = execution.thread() % kWarp + half * kWarp;
      for (float(&pair)[2] : scores) pair[half] = key < problem.keys ? 0.0F : -INFINITY;
      if (key >= problem.keys) continue;
      for (std::int64_t d = 0; d < problem.dim; d += kPack) {
        const auto pack = execution.template load<Pack<T, kPack>>(k + key * row + d);
        for (int i = 0; i < kQueries; ++i) {
          const float* const of_query = q + at_most_last(query + i) * problem.dim + d;
          for (int e = 0; e < kPack; ++e) {
            scores[i][half] += of_query[e] * execution.to_float(pack.elements[e]);
          }
        }
      }
    }
  }

  /// Softmax over the keys of the 32 threads.
  template <typename Execution>
  UNIANIMATE_KERNEL static void soften(Execution& execution, float (&scores)[2]) {
    const float largest = warp_max(execution, fmaxf(scores[0], scores[1]));
    for (float& score : scores) score = expf(score - largest);
    const float sum = warp_sum(execution, scores[0] + scores[1]);
    for (float& score : scores) score /= sum;
  }

  template <typename Execution>
  UNIANIMATE_KERNEL void gather(Execution& execution, const T* v, const float (&weights)[kQueries][2],
                                std::int64_t query, T* out) const {
    constexpr int kParts = kMostDim / kWarp;
    const int lane = execution.thread() % kWarp;
    float sums[kQueries][kParts] = {};
    for (int key = 0; key < problem.keys; ++key) {
      float weight[kQueries];
      for (int i = 0; i < kQueries; ++i) {
        weight[i] = execution.shuffle(key < kWarp ? weights[i][0] : weights[i][1], key % kWarp);
      }
      for (int part = 0; part < kParts; ++part) {
        const int d = part * kWarp + lane;
        if (d >= problem.dim) continue;
        const float value = execution.to_float(v[key * row + d]);
        for (int i = 0; i < kQueries; ++i) sums[i][part] += weight[i] * value;
      }
    }
    for (int i = 0; i < kQueries; ++i) {
      for (int part = 0; part < kParts; ++part) {
        const int d = part * kWarp + lane;
        if (query + i < problem.queries && d < problem.dim) {
          out[(query + i) * problem.out.row + d] = execution.template from_float<T>(sums[i][part]);
        }
      }
    }
  }

  [[nodiscard]] UNIANIMATE_KERNEL std::int64_t at_most_last(std::int64_t query) const {
    return query < problem.queries ? query : problem.queries - 1;
  }
};

/// Whether the kernel is for such sequences and heads. `element_bytes`: of an element.
inline bool takes_short_attention(const AttentionProblem& problem, std::int64_t element_bytes) {
  // What a block can have on every card from compute capability 7.5 on.
  constexpr std::int64_t kMostShared = 64 * 1024;
  constexpr std::int64_t kMostBlocks = 0x7FFFFFFF;
  using Any = AttentionKernel<float, 1>;
  const std::int64_t row = problem.dim + kPackBytes / element_bytes;
  const std::int64_t shared =
      problem.queries * problem.dim * static_cast<std::int64_t>(sizeof(float)) + 2 * problem.keys * row * element_bytes;
  return problem.queries <= Any::kMostKeys && problem.keys <= Any::kMostKeys && problem.dim <= Any::kMostDim &&
         shared <= kMostShared && problem.batch * problem.heads <= kMostBlocks;
}

/// launch(kernel) for what the problem needs, which takes_short_attention().
template <typename T, typename Launch>
void launch_attention(const AttentionProblem& problem, Launch&& launch) {
  bool in_packs = problem.dim % kPackOf<T> == 0;
  for (const AttentionOperand& operand : {problem.q, problem.k, problem.v}) {
    in_packs = in_packs && is_aligned(operand.data) && operand.batch % kPackOf<T> == 0 &&
               operand.row % kPackOf<T> == 0 && operand.head % kPackOf<T> == 0;
  }
  if (in_packs) {
    launch(AttentionKernel<T, kPackOf<T>>{problem});
  } else {
    launch(AttentionKernel<T, 1>{problem});
  }
}

}  // namespace unianimate::nn
