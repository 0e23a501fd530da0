#include "unianimate/nn/ops/selective_scan.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>
#include <vector>

#include "nn/ops/gradients.h"
#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/error.h"
#include "unianimate/nn/ops/causal_convolution.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {
namespace {

using testing::relative_error;
using testing::rule_input;

struct ScanSizes {
  std::int64_t batch, length, pixels, channels, states;
};

/// What a scan is made of: views, as a block's are. The gate is half of a projection, b and c are columns of another.
struct ScanParts {
  at::Tensor projected;  ///< x, and the gate
  at::Tensor columns;    ///< one that is not used, b, c
  at::Tensor step;
  at::Tensor step_bias;
  at::Tensor a;
  at::Tensor skip;
};

ScanParts make_parts(const ScanSizes& size, at::ScalarType type) {
  const auto [batch, length, pixels, channels, states] = size;
  return {.projected = rule_input("scan.xz", {batch, length, pixels, 2 * channels}).to(type),
          .columns = rule_input("scan.columns", {batch, length, pixels, 1 + 2 * states}).to(type),
          .step = rule_input("scan.step", {batch, length, pixels, channels}, -4, 1).to(type),
          .step_bias = rule_input("scan.bias", {channels}, -1, 1).to(type),
          .a = -at::exp(rule_input("scan.a", {channels, states}, -1, 1.5).to(type)),
          .skip = rule_input("scan.skip", {channels}).to(type)};
}

SelectiveScan scan_of(const ScanParts& parts, bool gated) {
  const std::int64_t channels = parts.skip.size(0);
  const std::int64_t states = parts.a.size(1);
  return {.x = parts.projected.narrow(3, 0, channels),
          .step = parts.step,
          .b = parts.columns.narrow(3, 1, states),
          .c = parts.columns.narrow(3, 1 + states, states),
          .gate = gated ? parts.projected.narrow(3, channels, channels) : at::Tensor(),
          .step_bias = parts.step_bias,
          .a = parts.a,
          .skip = parts.skip};
}

SelectiveScan make_scan(const ScanSizes& size, bool gated, at::ScalarType type) {
  return scan_of(make_parts(size, type), gated);
}

std::vector<at::Tensor*> tensors_of(SelectiveScan& scan) {
  std::vector<at::Tensor*> all{&scan.x, &scan.step, &scan.b, &scan.c, &scan.step_bias, &scan.a, &scan.skip};
  if (scan.gate.defined()) all.push_back(&scan.gate);
  return all;
}

/// All inputs as leaves that ask for gradients.
SelectiveScan as_leaves(SelectiveScan scan) {
  for (at::Tensor* const x : tensors_of(scan)) *x = x->detach().clone().requires_grad_();
  return scan;
}

/// The definition, differentiated by the library.
at::Tensor by_definition(const SelectiveScan& scan) {
  const at::Tensor d = at::softplus(scan.step + scan.step_bias);
  at::Tensor h = at::zeros({scan.x.size(0), scan.x.size(2), scan.a.size(0), scan.a.size(1)}, scan.x.options());
  std::vector<at::Tensor> outs(static_cast<std::size_t>(scan.x.size(1)));
  for (std::int64_t i = 0; i < scan.x.size(1); ++i) {
    const std::int64_t t = scan.reversed ? scan.x.size(1) - 1 - i : i;
    const auto at_t = [&](const at::Tensor& x) { return x.select(1, t); };
    h = at::exp(at_t(d).unsqueeze(3) * scan.a) * h + (at_t(d) * at_t(scan.x)).unsqueeze(3) * at_t(scan.b).unsqueeze(2);
    outs[static_cast<std::size_t>(t)] = (h * at_t(scan.c).unsqueeze(2)).sum(3) + scan.skip * at_t(scan.x);
  }
  const at::Tensor y = at::stack(outs, 1);
  return scan.gate.defined() ? y * at::silu(scan.gate) : y;
}

/// Of Σ out·weights by every input.
std::vector<at::Tensor> scan_gradients(SelectiveScan& scan, const at::Tensor& out) {
  const at::Tensor weights = rule_input("scan.weights", out.sizes()).to(out.options());
  torch::autograd::variable_list inputs;
  for (const at::Tensor* const x : tensors_of(scan)) inputs.push_back(*x);
  return torch::autograd::grad({(out * weights).sum()}, inputs);
}

struct ScanCase {
  std::int64_t length;
  bool reversed;
  bool gated;
};

class SelectiveScanOf : public ::testing::TestWithParam<ScanCase> {};

INSTANTIATE_TEST_SUITE_P(Lengths, SelectiveScanOf,
                         ::testing::Values(ScanCase{1, false, true}, ScanCase{15, false, true},
                                           ScanCase{16, true, true}, ScanCase{17, false, false},
                                           ScanCase{17, true, true}, ScanCase{97, false, true},
                                           ScanCase{97, true, false}));

TEST_P(SelectiveScanOf, IsItsDefinitionWithItsGradients) {
  const auto [length, reversed, gated] = GetParam();
  SelectiveScan scan = as_leaves(make_scan({2, length, 3, 5, 3}, gated, at::kDouble));
  scan.reversed = reversed;
  const at::Tensor out = selective_scan(scan);
  const at::Tensor expected = by_definition(scan);
  EXPECT_LE(relative_error(out.detach(), expected.detach()), 1e-13);
  const std::vector<at::Tensor> found = scan_gradients(scan, out);
  const std::vector<at::Tensor> wanted = scan_gradients(scan, expected);
  for (std::size_t i = 0; i < found.size(); ++i) {
    // Nothing decays in a single step.
    EXPECT_LE((found[i] - wanted[i]).norm().item<double>(), 1e-12 * wanted[i].norm().item<double>()) << i;
  }
}

TEST_P(SelectiveScanOf, ChangesAsItsGradientsSay) {
  constexpr double kStep = 1e-6;
  const auto [length, reversed, gated] = GetParam();
  SelectiveScan scan = as_leaves(make_scan({1, length, 2, 3, 2}, gated, at::kDouble));
  scan.reversed = reversed;
  const at::Tensor out = selective_scan(scan);
  const at::Tensor weights = rule_input("scan.weights", out.sizes()).to(at::kDouble);
  const std::vector<at::Tensor> found = scan_gradients(scan, out);
  const std::vector<at::Tensor*> inputs = tensors_of(scan);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const at::Tensor input = *inputs[i];
    const at::Tensor direction = rule_input("scan.direction" + std::to_string(i), input.sizes()).to(at::kDouble);
    const auto loss_at = [&](double distance) {
      *inputs[i] = input.detach() + distance * direction;
      return (selective_scan(scan) * weights).sum().item<double>();
    };
    const double change = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
    *inputs[i] = input;
    const double said = (found[i] * direction).sum().item<double>();
    EXPECT_NEAR(change, said, 1e-6 * (1 + std::abs(said))) << i;
  }
}

/// Of as many states as kernels are made for.
TEST_P(SelectiveScanOf, HasTheGradientsOfItsDefinitionInShorterFormats) {
  const std::int64_t length = GetParam().length;
  const bool is_reversed = GetParam().reversed;
  const bool is_gated = GetParam().gated;
  for (const std::int64_t states : {4, 16}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      ScanParts parts = make_parts({2, length, 21, 21, states}, type);
      parts.a = parts.a.to(at::kFloat);
      const auto gradients = [&](const auto& format, const auto& compute) {
        const ScanParts leaves{format(parts.projected), format(parts.columns), format(parts.step),
                               format(parts.step_bias), format(parts.a),       format(parts.skip)};
        SelectiveScan scan = scan_of(leaves, is_gated);
        scan.reversed = is_reversed;
        return gradients_of(compute(scan),
                            {leaves.projected, leaves.columns, leaves.step, leaves.step_bias, leaves.a, leaves.skip});
      };
      const auto found = gradients(
          [](const at::Tensor& x) { return as_leaf(x); },
          [](const SelectiveScan& scan) {
            const at::Tensor out = selective_scan(scan);
            EXPECT_EQ(has_gradients_by_kernel(out) && out.grad_fn()->name().find("Kernel") != std::string::npos,
                      ops_with_gradients_for(scan.x).selective_scan_gradients != nullptr);
            return out;
          });
      const auto wanted = gradients([](const at::Tensor& x) { return as_leaf(x.to(at::kDouble)); }, by_definition);
      for (std::size_t i = 0; i < found.size(); ++i) {
        const double distance = (found[i].to(at::kDouble) - wanted[i]).norm().item<double>();
        const double tolerance = type == at::kFloat ? 1e-5 : 1e-2;
        EXPECT_LE(distance, tolerance * wanted[i].norm().item<double>() + 1e-12) << i << ", " << states << " states";
      }
    }
  }
}

TEST(SelectiveScan, HasTheSameBitsWhereverThePixelsAreParted) {
  for (const ScanSizes& size : {ScanSizes{2, 19, 13, 7, 5}, ScanSizes{1, 18, 37, 24, 15}}) {
    SelectiveScan scan = as_leaves(make_scan(size, true, at::kFloat));
    const at::Tensor out = selective_scan(scan);
    const std::vector<at::Tensor> whole = scan_gradients(scan, out);
    for (const std::int64_t states_at_once : {1, 500, 1111, 4321}) {
      const at::Tensor parted = selective_scan(scan, nullptr, states_at_once);
      EXPECT_TRUE(at::equal(parted, out)) << states_at_once;
      const std::vector<at::Tensor> found = scan_gradients(scan, parted);
      for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_TRUE(at::equal(found[i], whole[i])) << "gradient " << i << ", " << states_at_once << " states at once";
      }
    }
  }
}

TEST(SelectiveScan, ReversedIsThatOfTheSequenceTurnedRound) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    SelectiveScan scan = make_scan({2, 18, 3, 21, 16}, true, type);
    SelectiveScan turned = scan;
    for (at::Tensor* const x : {&turned.x, &turned.step, &turned.b, &turned.c, &turned.gate}) *x = x->flip(1);
    turned.reversed = true;
    EXPECT_LE(relative_error(selective_scan(turned).flip(1), selective_scan(scan)), type == at::kDouble ? 1e-14 : 1e-7);
  }
}

/// The steps first … first + count - 1.
SelectiveScan part_of(SelectiveScan scan, std::int64_t first, std::int64_t count) {
  for (at::Tensor* const x : {&scan.x, &scan.step, &scan.b, &scan.c, &scan.gate}) *x = x->narrow(1, first, count);
  return scan;
}

TEST(SelectiveScan, GoesOnFromStatesThatWereHandedOver) {
  for (const std::int64_t states : {5, 8}) {
    const SelectiveScan scan = make_scan({2, 11, 3, 21, states}, true, at::kFloat);
    const at::Tensor whole = selective_scan(scan);
    // Kernels give the same bits; ATen rounds the last elements of a tensor otherwise than those before.
    const double tolerance = states == 8 && ops_for(scan.x).selective_scan != nullptr ? 0 : 1e-6;
    const auto distance = [](const at::Tensor& x, const at::Tensor& y) { return (x - y).abs().max().item<double>(); };
    ScanHandover first{.start = {}, .keep_after = 4, .kept = {}};
    EXPECT_LE(distance(selective_scan(part_of(scan, 0, 7), &first), whole.narrow(1, 0, 7)), tolerance);
    ScanHandover second{.start = first.kept, .keep_after = 0, .kept = {}};
    EXPECT_LE(distance(selective_scan(part_of(scan, 4, 7), &second), whole.narrow(1, 4, 7)), tolerance);
    EXPECT_FALSE(second.kept.defined());
  }
}

TEST(SelectiveScan, HandsNothingOverWithGradients) {
  const SelectiveScan scan = as_leaves(make_scan({1, 3, 1, 2, 2}, false, at::kFloat));
  ScanHandover handover;
  EXPECT_THROW(selective_scan(scan, &handover), Error);
}

TEST(CausalConvolution, IsConv1dWithSilu) {
  const at::Tensor projected = rule_input("conv.x", {2, 9, 3, 42}).to(at::kDouble);
  const at::Tensor weight = rule_input("conv.weight", {21, 1, 4}).to(at::kDouble);
  const at::Tensor bias = rule_input("conv.bias", {21}).to(at::kDouble);
  const at::Tensor sequences = projected.narrow(3, 0, 21).permute({0, 2, 3, 1}).reshape({6, 21, 9});
  const at::Tensor convolved = at::conv1d(sequences, weight, bias, 1, 3, 1, 21).narrow(2, 0, 9);
  const at::Tensor expected = at::silu(convolved).view({2, 3, 21, 9}).permute({0, 3, 1, 2});
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    const at::Tensor x = projected.to(type).narrow(3, 0, 21);
    const double tolerance = type == at::kDouble ? 1e-14 : type == at::kFloat ? 1e-6 : 1e-2;
    const at::Tensor found = causal_convolution(x, weight.to(type), bias.to(type), false);
    EXPECT_LE(relative_error(found, expected), tolerance) << type;
    const at::Tensor backwards = causal_convolution(x.flip(1), weight.to(type), bias.to(type), true).flip(1);
    EXPECT_LE(relative_error(backwards, found), tolerance) << type;
    const at::Tensor second =
        causal_convolution(x.narrow(1, 5, 4), weight.to(type), bias.to(type), false, x.narrow(1, 2, 3));
    EXPECT_TRUE(at::equal(second, found.narrow(1, 5, 4))) << "what lies before is seen, " << type;
  }
}

}  // namespace
}  // namespace unianimate::nn
