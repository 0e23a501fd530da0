// Attention on CPUs with AVX-512: blocks of queries against blocks of keys with a running softmax (Dao et al.,
// "FlashAttention", 2022), for sequences of any stride, long or short.
#pragma once

#include <cstdint>

#include "unianimate/nn/kernel_element.h"

namespace unianimate::nn {

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
  std::int64_t dim;  ///< a multiple of 32
  float scale;
  AttentionOperand q;
  AttentionOperand k;
  AttentionOperand v;
  AttentionOperand out;  ///< written to
};

/// Whether the kernel takes heads of this size.
bool attention_kernel_takes(std::int64_t dim);

/// How many tasks the problem splits into; tasks are independent of each other.
std::int64_t attention_task_count(const AttentionProblem& problem);

/// Computes tasks first … last-1. Thread-safe for disjoint ranges.
void attention_run_tasks(const AttentionProblem& problem, KernelElement element, std::int64_t first, std::int64_t last);

}  // namespace unianimate::nn
