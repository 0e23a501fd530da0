// The selective scan, Mamba's blocks and the temporal Mamba against numbers of the published reference code, in double
// and in floats. Files of other sizes and inputs can be tried in $UNIANIMATE_GOLDEN_DIR/mamba: all that a test needs
// stands in their metadata.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <c10/core/GradMode.h>

#include <string>
#include <vector>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/models/unet/transformer.h"
#include "unianimate/nn/ops/selective_scan.h"

namespace unianimate::models {
namespace {

using testing::GoldenFile;
using testing::relative_error;
using testing::rule_input;

/// How near numbers of a format have to be.
struct Format {
  at::ScalarType type;
  double of_results;
  double of_gradients;
};

/// One case of a file in one format. Names of inputs and weights are `prefix`_x and `prefix`.KEY.
struct MambaCase {
  const GoldenFile& golden;
  std::string name;
  nlohmann::json sizes;
  std::string prefix;
  Format format;

  [[nodiscard]] std::int64_t size(const char* key) const { return sizes.at(key).get<std::int64_t>(); }
  [[nodiscard]] at::Tensor input(const char* what, at::IntArrayRef shape, double low = -1.7320508,
                                 double high = 1.7320508) const {
    return rule_input(fmt::format("{}_{}", prefix, what), shape, low, high).to(format.type);
  }
  [[nodiscard]] std::vector<std::int64_t> x_sizes() const { return sizes.at("x").get<std::vector<std::int64_t>>(); }
  void expect(const std::string& what, const at::Tensor& found, double tolerance) const {
    const at::Tensor expected = golden.tensor(name + "." + what);
    ASSERT_EQ(found.sizes(), expected.sizes()) << name << "." << what;
    const double distance = (found.detach().to(at::kDouble) - expected).norm().item<double>();
    EXPECT_LE(distance, tolerance * expected.norm().item<double>()) << name << "." << what << " in " << format.type;
  }
  void expect_result(const std::string& what, const at::Tensor& found) const { expect(what, found, format.of_results); }
  /// Of Σ out·w, for those inputs that the file has gradients of.
  void expect_gradients(const at::Tensor& out, const NamedTensors& inputs) const {
    NamedTensors known;
    for (const NamedTensor& input : inputs) {
      if (golden.contains(name + ".grad." + input.name)) known.push_back(input);
    }
    EXPECT_FALSE(known.empty());
    torch::autograd::variable_list tensors;
    for (const NamedTensor& input : known) tensors.push_back(input.tensor);
    const at::Tensor loss = (out * input("w", out.sizes())).sum();
    const torch::autograd::variable_list found = torch::autograd::grad({loss}, tensors);
    for (std::size_t i = 0; i < known.size(); ++i) {
      expect("grad." + known[i].name, found[i], format.of_gradients);
    }
  }
};

/// The golden layout (B, D, L) -> (B, L, 1, D).
at::Tensor one_pixel(const at::Tensor& x) {
  return x.transpose(1, 2).unsqueeze(2).contiguous();
}
at::Tensor channels_first(const at::Tensor& x) {
  return x.squeeze(2).transpose(1, 2);
}

void check_scan(const MambaCase& test) {
  const std::int64_t batch = test.size("batch");
  const std::int64_t channels = test.size("channels");
  const std::int64_t length = test.size("length");
  const std::int64_t states = test.size("d_state");
  const auto leaf = [](const at::Tensor& x) { return x.detach().requires_grad_(); };
  const at::Tensor u = leaf(test.input("u", {batch, channels, length}));
  const at::Tensor delta = leaf(test.input("delta", {batch, channels, length}, -4, 1));
  const at::Tensor b = leaf(test.input("B", {batch, states, length}));
  const at::Tensor c = leaf(test.input("C", {batch, states, length}));
  const at::Tensor a = leaf(-at::exp(test.input("Alog", {channels, states}, -1, 1.5)));
  const at::Tensor skip = leaf(test.input("D", {channels}));
  const at::Tensor bias = leaf(test.input("bias", {channels}, -1, 1));
  const bool gated = test.sizes.at("gated").get<bool>();
  const at::Tensor z = gated ? leaf(test.input("z", {batch, channels, length})) : at::Tensor();
  const auto scan = [&] {
    return nn::SelectiveScan{.x = one_pixel(u),
                             .step = one_pixel(delta),
                             .b = one_pixel(b),
                             .c = one_pixel(c),
                             .gate = gated ? one_pixel(z) : z,
                             .step_bias = bias,
                             .a = a,
                             .skip = skip};
  };
  const at::Tensor out = channels_first(nn::selective_scan(scan()));
  test.expect_result("out", out);
  NamedTensors inputs{{"u", u}, {"delta", delta}, {"A", a}, {"B", b}, {"C", c}, {"D", skip}, {"bias", bias}};
  if (gated) inputs.push_back({"z", z});
  test.expect_gradients(out, inputs);
  const c10::NoGradGuard no_gradients;
  nn::ScanHandover handover{{}, length, {}};
  test.expect_result("out", channels_first(nn::selective_scan(scan(), &handover)));
  test.expect_result("last_state", handover.kept.squeeze(1).transpose(1, 2));
}

NamedTensors with_gradients(const NamedTensors& parameters) {
  for (const NamedTensor& parameter : parameters) parameter.tensor.set_requires_grad(true);
  return parameters;
}

/// What the first half of the sequence hands over, and that the second goes on from it. The first token plays the part
/// of the reference frame.
void check_streaming(const MambaCase& test, const Mamba& mamba, const at::Tensor& x) {
  const c10::NoGradGuard no_gradients;
  // After token number L div 2, counted from 0.
  const std::int64_t last = x.size(1) / 2;
  const std::int64_t half = last + 1;
  MambaHandover first{{}, last, {}};
  const at::Tensor whole = mamba(x, &first);
  test.expect_result("out", whole.squeeze(2));
  // Theirs holds one more input, which the convolution does not need any more.
  const at::Tensor theirs = test.golden.tensor(fmt::format("{}.conv_state.{}", test.name, last)).narrow(2, 1, 3);
  EXPECT_LE(relative_error(first.kept.inputs.squeeze(2).transpose(1, 2), theirs), test.format.of_results);
  test.expect_result(fmt::format("ssm_state.{}", last), first.kept.states.squeeze(1).transpose(1, 2));
  MambaHandover second{first.kept, 0, {}};
  const at::Tensor rest = mamba(at::cat({x.narrow(1, 0, 1), x.narrow(1, half, x.size(1) - half)}, 1), &second);
  EXPECT_LE(relative_error(rest.narrow(1, 1, rest.size(1) - 1), whole.narrow(1, half, x.size(1) - half)),
            test.format.of_results);
  EXPECT_LE(relative_error(rest.narrow(1, 0, 1), whole.narrow(1, 0, 1)), test.format.of_results) << "the reference";
}

void check_block(const MambaCase& test, Mamba::Directions directions) {
  const Mamba mamba(test.size("d_model"), test.size("d_state"), test.size("expand"), directions,
                    at::TensorOptions(test.format.type));
  testing::fill_by_rule(mamba.named_parameters(), test.prefix + ".");
  NamedTensors inputs = with_gradients(mamba.named_parameters());
  EXPECT_EQ(inputs.size(), test.sizes.at("keys").size());
  const at::Tensor x = test.input("x", test.x_sizes()).requires_grad_();
  inputs.push_back({"x", x});
  // Vision Mamba's other way of combining halves the sum before a linear layer without bias.
  const double factor = test.sizes.value("combine", "sum") == "mean" ? 0.5 : 1.0;
  const at::Tensor out = factor * mamba(x.unsqueeze(2)).squeeze(2);
  test.expect_result("out", out);
  test.expect_gradients(out, inputs);
  if (directions == Mamba::Directions::kForward) check_streaming(test, mamba, x.unsqueeze(2));
}

void check_temporal(const MambaCase& test) {
  UNetConfig config;
  config.temporal = TemporalKind::kMamba;
  config.d_state = test.size("d_state");
  const TemporalTransformer temporal(test.size("channels"), test.size("inner"), config,
                                     at::TensorOptions(test.format.type));
  testing::fill_by_rule(temporal.named_parameters(), test.prefix + ".");
  NamedTensors inputs = with_gradients(temporal.named_parameters());
  EXPECT_EQ(inputs.size(), test.sizes.at("keys").size());
  for (const NamedTensor& input : inputs) EXPECT_TRUE(test.sizes.at("keys").contains(input.name)) << input.name;
  const at::Tensor x = test.input("x", test.x_sizes()).requires_grad_();
  inputs.push_back({"x", x});
  const auto compute = [&] { return temporal(x.permute({0, 2, 3, 4, 1}).contiguous()).permute({0, 4, 1, 2, 3}); };
  const at::Tensor out = compute();
  test.expect_result("out", out);
  test.expect_gradients(out, inputs);
  const c10::NoGradGuard no_gradients;
  test.expect_result("out", compute());
}

struct MambaKind {
  const char* kind;    ///< what the names of cases begin with
  const char* prefix;  ///< what those of their inputs begin with
  void (*check)(const MambaCase&);
};
constexpr MambaKind kKinds[] = {
    {"scan", "scan", check_scan},
    {"block", "mamba", [](const MambaCase& test) { check_block(test, Mamba::Directions::kForward); }},
    {"bidirectional", "bimamba", [](const MambaCase& test) { check_block(test, Mamba::Directions::kBoth); }},
    {"temporal", "temporal", check_temporal}};

void check_file(const GoldenFile& golden) {
  const nlohmann::json configs = golden.metadata("configs");
  for (const auto& [name, sizes] : configs.items()) {
    const std::size_t dot = name.find('.');
    bool known = false;
    for (const MambaKind& kind : kKinds) {
      if (name.substr(0, dot) != kind.kind) continue;
      known = true;
      for (const Format& format : {Format{at::kDouble, 1e-10, 1e-10}, Format{at::kFloat, 2e-6, 1e-5}}) {
        kind.check({golden, name, sizes, std::string(kind.prefix) + "_" + name.substr(dot + 1), format});
      }
    }
    EXPECT_TRUE(known) << name << " is no case that this test knows";
  }
}

TEST(MambaGolden, ScansBlocksAndTemporalBlocksAreTheReferences) {
  int compared = 0;
  for (const auto& path : testing::golden_files("", "mamba")) {
    SCOPED_TRACE(path.string());
    check_file(GoldenFile(path));
    ++compared;
  }
  if (compared == 0) GTEST_SKIP() << "$UNIANIMATE_GOLDEN_DIR has no folder mamba";
}

}  // namespace
}  // namespace unianimate::models
