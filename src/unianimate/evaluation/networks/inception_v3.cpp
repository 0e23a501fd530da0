#include "unianimate/evaluation/networks/inception_v3.h"

#include <array>
#include <string>

namespace unianimate::evaluation {

enum class InceptionV3::Pooled { kNot, kMean, kMaximum, kHalved };

namespace {

using Pooled = InceptionV3::Pooled;

struct Unit {
  std::string name;
  std::int64_t out;
  std::array<std::int64_t, 2> kernel;
  std::int64_t stride = 1;
  bool padded = true;  ///< with stride 1, so that the size stays
};

/// Pooling, then `chain`, one unit after the other, then the units of `fork` beside each other.
struct Branch {
  std::vector<Unit> chain;
  std::vector<Unit> fork = {};
  Pooled pooled = Pooled::kNot;
};

struct BlockPlan {
  const char* name;
  std::int64_t in;
  std::vector<Branch> branches;
};

BlockPlan block_a(const char* name, std::int64_t in, std::int64_t pool) {
  return {name,
          in,
          {{{{"branch1x1", 64, {1, 1}}}},
           {{{"branch5x5_1", 48, {1, 1}}, {"branch5x5_2", 64, {5, 5}}}},
           {{{"branch3x3dbl_1", 64, {1, 1}}, {"branch3x3dbl_2", 96, {3, 3}}, {"branch3x3dbl_3", 96, {3, 3}}}},
           {{{"branch_pool", pool, {1, 1}}}, {}, Pooled::kMean}}};
}

BlockPlan block_b(const char* name, std::int64_t in) {
  return {name,
          in,
          {{{{"branch3x3", 384, {3, 3}, 2}}},
           {{{"branch3x3dbl_1", 64, {1, 1}}, {"branch3x3dbl_2", 96, {3, 3}}, {"branch3x3dbl_3", 96, {3, 3}, 2}}},
           {{}, {}, Pooled::kHalved}}};
}

BlockPlan block_c(const char* name, std::int64_t in, std::int64_t width) {
  return {name,
          in,
          {{{{"branch1x1", 192, {1, 1}}}},
           {{{"branch7x7_1", width, {1, 1}}, {"branch7x7_2", width, {1, 7}}, {"branch7x7_3", 192, {7, 1}}}},
           {{{"branch7x7dbl_1", width, {1, 1}},
             {"branch7x7dbl_2", width, {7, 1}},
             {"branch7x7dbl_3", width, {1, 7}},
             {"branch7x7dbl_4", width, {7, 1}},
             {"branch7x7dbl_5", 192, {1, 7}}}},
           {{{"branch_pool", 192, {1, 1}}}, {}, Pooled::kMean}}};
}

BlockPlan block_d(const char* name, std::int64_t in) {
  return {name,
          in,
          {{{{"branch3x3_1", 192, {1, 1}}, {"branch3x3_2", 320, {3, 3}, 2}}},
           {{{"branch7x7x3_1", 192, {1, 1}},
             {"branch7x7x3_2", 192, {1, 7}},
             {"branch7x7x3_3", 192, {7, 1}},
             {"branch7x7x3_4", 192, {3, 3}, 2}}},
           {{}, {}, Pooled::kHalved}}};
}

BlockPlan block_e(const char* name, std::int64_t in, Pooled pooled) {
  return {name,
          in,
          {{{{"branch1x1", 320, {1, 1}}}},
           {{{"branch3x3_1", 384, {1, 1}}}, {{"branch3x3_2a", 384, {1, 3}}, {"branch3x3_2b", 384, {3, 1}}}},
           {{{"branch3x3dbl_1", 448, {1, 1}}, {"branch3x3dbl_2", 384, {3, 3}}},
            {{"branch3x3dbl_3a", 384, {1, 3}}, {"branch3x3dbl_3b", 384, {3, 1}}}},
           {{{"branch_pool", 192, {1, 1}}}, {}, pooled}}};
}

ConvNorm::Shape shape_of(const Unit& unit) {
  const bool padded = unit.padded && unit.stride == 1;
  return {{unit.kernel[0], unit.kernel[1]},
          {unit.stride, unit.stride},
          {padded ? unit.kernel[0] / 2 : 0, padded ? unit.kernel[1] / 2 : 0}};
}

std::unique_ptr<ConvNorm> make_unit(const Unit& unit, std::int64_t in) {
  return std::make_unique<ConvNorm>("conv", in, unit.out, shape_of(unit));
}

at::Tensor pooled(const at::Tensor& x, Pooled how) {
  constexpr std::array<std::int64_t, 2> kKernel{3, 3};
  constexpr std::array<std::int64_t, 2> kOnce{1, 1};
  constexpr std::array<std::int64_t, 2> kTwice{2, 2};
  switch (how) {
    case Pooled::kMean:
      return at::avg_pool2d(x, kKernel, kOnce, kOnce, false, false);
    case Pooled::kMaximum:
      return at::max_pool2d(x, kKernel, kOnce, kOnce);
    case Pooled::kHalved:
      return at::max_pool2d(x, kKernel, kTwice);
    case Pooled::kNot:
      break;
  }
  return x;
}

}  // namespace

class InceptionV3::Block : public nn::Module {
 public:
  explicit Block(const BlockPlan& plan) {
    for (const Branch& branch : plan.branches) {
      Units& units = branches_.emplace_back();
      units.pooled = branch.pooled;
      std::int64_t in = plan.in;
      for (const Unit& unit : branch.chain) {
        add(unit, in, units.chain);
        in = unit.out;
      }
      for (const Unit& unit : branch.fork) add(unit, in, units.fork);
    }
  }

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    std::vector<at::Tensor> parts;
    for (const Units& units : branches_) {
      at::Tensor y = evaluation::pooled(x, units.pooled);
      for (const auto& unit : units.chain) y = (*unit)(y);
      for (const auto& unit : units.fork) parts.push_back((*unit)(y));
      if (units.fork.empty()) parts.push_back(y);
    }
    return at::cat(parts, 1);
  }

 private:
  struct Units {
    Pooled pooled = Pooled::kNot;
    std::vector<std::unique_ptr<ConvNorm>> chain;
    std::vector<std::unique_ptr<ConvNorm>> fork;
  };

  void add(const Unit& unit, std::int64_t in, std::vector<std::unique_ptr<ConvNorm>>& to) {
    to.push_back(make_unit(unit, in));
    register_child(unit.name, *to.back());
  }

  std::vector<Units> branches_;
};

InceptionV3::InceptionV3() {
  const std::array<Unit, 5> stem{{{"Conv2d_1a_3x3", 32, {3, 3}, 2},
                                  {"Conv2d_2a_3x3", 32, {3, 3}, 1, false},
                                  {"Conv2d_2b_3x3", 64, {3, 3}},
                                  {"Conv2d_3b_1x1", 80, {1, 1}},
                                  {"Conv2d_4a_3x3", 192, {3, 3}, 1, false}}};
  std::int64_t in = 3;
  for (const Unit& unit : stem) {
    stem_.push_back(make_unit(unit, in));
    register_child(unit.name, *stem_.back());
    in = unit.out;
  }
  for (const BlockPlan& plan :
       {block_a("Mixed_5b", 192, 32), block_a("Mixed_5c", 256, 64), block_a("Mixed_5d", 288, 64),
        block_b("Mixed_6a", 288), block_c("Mixed_6b", 768, 128), block_c("Mixed_6c", 768, 160),
        block_c("Mixed_6d", 768, 160), block_c("Mixed_6e", 768, 192), block_d("Mixed_7a", 768),
        block_e("Mixed_7b", 1280, Pooled::kMean), block_e("Mixed_7c", kFeatures, Pooled::kMaximum)}) {
    blocks_.push_back(std::make_unique<Block>(plan));
    register_child(plan.name, *blocks_.back());
  }
}

InceptionV3::~InceptionV3() = default;

at::Tensor InceptionV3::features(const at::Tensor& pictures) const {
  constexpr std::array<std::int64_t, 2> kSize{299, 299};
  constexpr std::size_t kBeforePooling = 2;
  at::Tensor x = 2 * at::upsample_bilinear2d(pictures, kSize, false) - 1;
  for (std::size_t i = 0; i < stem_.size(); ++i) {
    x = (*stem_[i])(x);
    if (i == kBeforePooling) x = pooled(x, Pooled::kHalved);
  }
  x = pooled(x, Pooled::kHalved);
  for (const auto& block : blocks_) x = (*block)(x);
  return x.mean({2, 3});
}

}  // namespace unianimate::evaluation
