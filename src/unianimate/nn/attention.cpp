#include "unianimate/nn/attention.h"

#include <vector>

namespace unianimate::nn {

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  const auto heads_first = [](const at::Tensor& x) { return x.transpose(1, 2); };
  return at::scaled_dot_product_attention(heads_first(q), heads_first(k), heads_first(v), {}, 0.0, causal)
      .transpose(1, 2);
}

at::Tensor frame_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  std::vector<at::Tensor> clips;
  for (std::int64_t b = 0; b < q.size(0); ++b) {
    clips.push_back(attention(q[b].transpose(0, 1), k[b].transpose(0, 1), v[b].transpose(0, 1)).transpose(0, 1));
  }
  return at::stack(clips);
}

}  // namespace unianimate::nn
