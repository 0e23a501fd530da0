// Consistency distillation against an independent implementation, in double. Files of other entries, sizes and weights
// can be tried in $UNIANIMATE_GOLDEN_DIR/fewstep: all that a test needs stands in their metadata.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "support/golden_file.h"
#include "support/rule.h"
#include "unianimate/core/random.h"
#include "unianimate/diffusion/sampling_loop.h"
#include "unianimate/family/distillation.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/training/consistency_loss.h"
#include "unianimate/training/optimizer.h"

namespace unianimate::training {
namespace {

using nlohmann::json;
using testing::GoldenFile;
using testing::relative_error;
using testing::rule_input;

constexpr std::int64_t kPhases = 4;
constexpr std::int64_t kContext = 1024;

/// How far results may be off in a type.
struct Tolerance {
  at::ScalarType type;
  double networks;     ///< v
  double predictions;  ///< what is made of v for the loss
  double gradients;
};

models::UNetConfig golden_unet() {
  models::UNetConfig config;
  config.dim = 32;
  config.head_dim = 16;
  return config;
}

std::unique_ptr<models::UNet> network(at::ScalarType type, double share) {
  auto unet = std::make_unique<models::UNet>(golden_unet(), at::TensorOptions(type));
  for (const auto& [name, tensor] : unet->named_parameters()) {
    at::Tensor weight = testing::rule_weight(name, tensor.sizes()).to(at::kDouble);
    if (share > 0) weight = weight + share * testing::rule_weight("student." + name, tensor.sizes()).to(at::kDouble);
    tensor.copy_(weight);
  }
  return unet;
}

class ConsistencyCase {
 public:
  ConsistencyCase(const GoldenFile& golden, const std::string& name, const json& facts, const Tolerance& tolerance)
      : golden_(golden), name_(name), facts_(facts), tolerance_(tolerance) {
    const auto frames = facts.at("frames").get<std::int64_t>();
    const auto size = facts.at("size_WxH").get<std::vector<std::int64_t>>();
    const auto batch = static_cast<std::int64_t>(facts.at("index").size());
    const auto input = [&](const std::string& of, at::IntArrayRef shape) {
      return rule_input("lcm_" + name + "_" + of, shape).to(tolerance.type);
    };
    shape_ = {batch, frames, size[1] / 8, size[0] / 8};
    const std::vector<std::int64_t> latents{batch, 4, frames, shape_.height, shape_.width};
    x0_ = input("x0", latents);
    noise_ = input("noise", latents);
    empty_prompt_ = input("zero_y", {1, 77, kContext});
    given_.image = input("image", {batch, 1, kContext});
    given_.randomref = input("randomref", {batch, 4, 1, shape_.height, shape_.width});
    given_.dwpose =
        rule_input("lcm_" + name + "_dwpose", {batch, 3, 1 + frames, size[1], size[0]}, 0, 1).to(tolerance.type);
  }

  void run(const models::UNet& teacher, models::UNet& target, models::UNet& student) {
    const auto entries = facts_.at("index").get<std::vector<std::int64_t>>();
    const ConsistencySteps lcm = consistency_steps(entries, DistillationMethod::kLcm, 1, {}, x0_.options());
    const ConsistencySteps phased = consistency_steps(entries, DistillationMethod::kPhased, kPhases, {}, x0_.options());
    EXPECT_EQ(numbers(lcm.timesteps), facts_.at("start_timesteps").get<std::vector<std::int64_t>>());
    EXPECT_EQ(numbers(lcm.next), facts_.at("timesteps").get<std::vector<std::int64_t>>());
    const at::Tensor z = lcm.signal * x0_ + lcm.spread * noise_;
    expect("noisy", z, tolerance_.predictions);
    at::Tensor next;
    at::Tensor target_v;
    {
      const c10::NoGradGuard no_gradients;
      const at::Tensor with = predict(teacher, z, lcm.timesteps, given_);
      const at::Tensor without = predict(teacher, z, lcm.timesteps, {});
      expect("teacher_v_cond", with, tolerance_.networks);
      expect("teacher_v_uncond", without, tolerance_.networks);
      next = lcm.solver(z, without + facts_.at("guidance").get<double>() * (with - without));
      expect("x_prev", next, tolerance_.predictions);
      target_v = predict(target, next, lcm.next, given_);
      expect("target_v", target_v, tolerance_.networks);
    }
    NamedTensors parameters = student.named_parameters();
    for (const NamedTensor& parameter : parameters) parameter.tensor.set_requires_grad(true);
    const at::Tensor v = predict(student, z, lcm.timesteps, given_);
    expect("student_v", v.detach(), tolerance_.networks);
    const at::Tensor of_lcm = lcm.target(next, target_v);
    const at::Tensor of_phase = phased.target(next, target_v);
    const at::Tensor prediction = lcm.prediction(z, v);
    const at::Tensor phase_prediction = phased.prediction(z, v).detach();
    expect("target", of_lcm, tolerance_.predictions);
    expect("pcm_target", of_phase, tolerance_.predictions);
    expect("model_pred", prediction.detach(), tolerance_.predictions);
    expect("pcm_pred", phase_prediction, tolerance_.predictions);
    const at::Tensor loss = pseudo_huber(at_expected("model_pred", prediction), at_expected("target", of_lcm));
    expect_number("loss_pseudo_huber_0_001", loss.item<double>());
    expect_number("loss_pcm_pseudo_huber", pseudo_huber(phase_prediction, of_phase).item<double>());
    loss.backward();
    check_gradients(parameters);
    for (const NamedTensor& parameter : parameters) parameter.tensor.mutable_grad().reset();
  }

  [[nodiscard]] std::size_t compared() const { return compared_; }

 private:
  static std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
    return {tensor.const_data_ptr<std::int64_t>(), tensor.const_data_ptr<std::int64_t>() + tensor.numel()};
  }

  [[nodiscard]] at::Tensor predict(const models::UNet& unet, const at::Tensor& z, const at::Tensor& timesteps,
                                   const models::UNetConditions& given) const {
    return unet(z, timesteps, unet.encode(given, empty_prompt_, shape_));
  }

  void expect(const std::string& what, const at::Tensor& found, double tolerance) {
    if (!golden_.contains(name_ + "." + what)) return;
    const at::Tensor expected = golden_.tensor(name_ + "." + what);
    const double rounding = expected.scalar_type() == at::kFloat ? 1e-7 : 0;
    EXPECT_LE(relative_error(found, expected), std::max(tolerance, rounding)) << name_ << " " << what;
    ++compared_;
  }

  /// In 32 bits the expected values, of which `found` has the gradients: where a difference is of the size of the
  /// loss's flat part, the gradient of the loss tells its sign, and 2e-6 of a prediction are 2e-4 of a gradient.
  [[nodiscard]] at::Tensor at_expected(const std::string& what, const at::Tensor& found) const {
    if (tolerance_.type != at::kFloat) return found;
    return found + (golden_.tensor(name_ + "." + what).to(at::kFloat) - found).detach();
  }

  void expect_number(const char* what, double found) const {
    const auto expected = facts_.at(what).get<double>();
    EXPECT_NEAR(found, expected, tolerance_.gradients * expected) << name_ << " " << what;
  }

  void check_gradients(const NamedTensors& parameters) {
    const auto none = facts_.at("grads_none").get<std::vector<std::string>>();
    std::size_t without = 0;
    double squares = 0;
    for (const auto& [name, tensor] : parameters) {
      const bool expected_none = std::ranges::find(none, name) != none.end();
      EXPECT_EQ(!tensor.grad().defined(), expected_none) << name;
      if (!tensor.grad().defined()) {
        ++without;
        continue;
      }
      squares += tensor.grad().to(at::kDouble).square().sum().item<double>();
      const std::string expected = name_ + ".grad." + name;
      if (!golden_.contains(expected)) continue;
      EXPECT_LE(relative_error(tensor.grad(), golden_.tensor(expected)), tolerance_.gradients) << expected;
      ++compared_;
    }
    EXPECT_EQ(without, none.size());
    expect_number("grad_norm_all", std::sqrt(squares));
    check_updates(parameters);
  }

  /// Optimizers work in 32 bits.
  void check_updates(const NamedTensors& parameters) {
    if (tolerance_.type != at::kFloat) return;
    NamedTensors copies;
    for (const auto& [name, tensor] : parameters) {
      if (!golden_.contains(name_ + ".adamw." + name)) continue;
      copies.push_back({name, tensor.detach().clone()});
      copies.back().tensor.mutable_grad() = tensor.grad().clone();
    }
    if (copies.empty()) return;
    const OptimizerOptions options{
        .learning_rate = 3e-5, .beta2 = 0.999, .weight_decay = 0, .clip_norm = 0, .ema_decay = 0};
    Optimizer optimizer(copies, options);
    optimizer.step(options.learning_rate, 1);
    for (const auto& [name, tensor] : copies) {
      EXPECT_LE(relative_error(tensor.detach(), golden_.tensor(name_ + ".adamw." + name)), 1e-6) << name;
      ++compared_;
    }
  }

  const GoldenFile& golden_;
  std::string name_;
  const json& facts_;
  const Tolerance& tolerance_;
  models::LatentShape shape_{};
  at::Tensor x0_;
  at::Tensor noise_;
  at::Tensor empty_prompt_;
  models::UNetConditions given_;
  std::size_t compared_ = 0;
};

TEST(ConsistencyGolden, LossesAndGradientsAreTheOnesOfTheDefinition) {
  std::size_t compared = 0;
  for (const auto& file : testing::golden_files("", "fewstep")) {
    const GoldenFile golden(file);
    const json cases = golden.metadata("cases");
    for (const Tolerance& tolerance :
         {Tolerance{at::kDouble, 1e-9, 1e-9, 1e-9}, Tolerance{at::kFloat, 3e-6, 2e-6, 1e-4}}) {
      SCOPED_TRACE(file.filename().string() + (tolerance.type == at::kDouble ? ", double" : ", float"));
      const auto teacher = network(tolerance.type, 0);
      const auto target = network(tolerance.type, 0.01);
      const auto student = network(tolerance.type, 0.02);
      for (const auto& [name, facts] : cases.items()) {
        ConsistencyCase one(golden, name, facts, tolerance);
        one.run(*teacher, *target, *student);
        compared += one.compared();
      }
    }
  }
  if (compared == 0) GTEST_SKIP() << "$UNIANIMATE_GOLDEN_DIR has no folder fewstep";
  RecordProperty("tensors", static_cast<int>(compared));
}

TEST(ConsistencySteps, AConsistentNetworkHasNoLoss) {
  // For data of one point, x0, the network v = √ᾱ ε − √(1−ᾱ) x0 is consistent: no loss, whatever the method.
  const diffusion::NoiseSchedule schedule;
  const at::Tensor x0 = rule_input("x0", {1, 4, 2, 3, 3}).to(at::kDouble);
  const auto v_of = [&](const at::Tensor& z, std::int64_t timestep) {
    const double signal = std::sqrt(schedule.alpha_cumprod(timestep));
    const double spread = std::sqrt(1 - schedule.alpha_cumprod(timestep));
    return (signal * z - x0) / spread;
  };
  for (std::int64_t entry = 0; entry < 50; ++entry) {
    for (const std::int64_t phases : {1, 3, 4, 50}) {
      const ConsistencySteps steps =
          consistency_steps({entry}, DistillationMethod::kPhased, phases, schedule, x0.options());
      const at::Tensor z = rule_input("z", x0.sizes()).to(at::kDouble);
      const at::Tensor next = steps.solver(z, v_of(z, steps.timesteps.item<std::int64_t>()));
      const at::Tensor target = steps.target(next, v_of(next, steps.next.item<std::int64_t>()));
      const at::Tensor prediction = steps.prediction(z, v_of(z, steps.timesteps.item<std::int64_t>()));
      EXPECT_LE(relative_error(prediction, target), 1e-12) << entry << " of " << phases;
    }
  }
}

/// What the network of a teacher with guidance says where each value of the data is one of two: cheap, and not linear.
at::Tensor guided_v(const diffusion::NoiseSchedule& schedule, const at::Tensor& z, std::int64_t timestep) {
  const double signal = std::sqrt(schedule.alpha_cumprod(timestep));
  const double spread = std::sqrt(1 - schedule.alpha_cumprod(timestep));
  const auto v_for = [&](double value) {
    return (signal * z - value * at::tanh(value * signal * z / (spread * spread))) / spread;
  };
  constexpr double kGuidance = 2.5;
  return v_for(0.6) + kGuidance * (v_for(1.0) - v_for(0.6));
}

/// What a student says that has no loss, found by going down the grid step by step.
at::Tensor consistent_v(const diffusion::NoiseSchedule& schedule, DistillationMethod method, std::int64_t phases,
                        const at::Tensor& z, std::int64_t entry) {
  const ConsistencySteps steps = consistency_steps({entry}, method, phases, schedule, z.options());
  const at::Tensor next = steps.solver(z, guided_v(schedule, z, steps.timesteps.item<std::int64_t>()));
  const bool is_end = steps.target.of_v.item<double>() == 0;
  const at::Tensor v = is_end ? at::zeros_like(z) : consistent_v(schedule, method, phases, next, entry - 1);
  return (steps.target(next, v) - steps.prediction.of_z * z) / steps.prediction.of_v;
}

/// The clean latent by the program's own sampler, of a network of timesteps.
at::Tensor sampled(const diffusion::NoiseSchedule& schedule, const diffusion::SamplerOptions& options,
                   const at::Tensor& start,
                   const std::function<at::Tensor(const at::Tensor& z, std::int64_t timestep)>& v_of) {
  const std::unique_ptr<diffusion::Sampler> sampler = diffusion::make_sampler(schedule, options);
  diffusion::SamplingState state = diffusion::sampling_state(*sampler, start.clone(), make_generator(1));
  const diffusion::Denoiser denoise = [&](const at::Tensor& x, const diffusion::Level& level, std::int64_t,
                                          const diffusion::TakeOutput& take) {
    take(0, v_of(x.to(at::kDouble), static_cast<std::int64_t>(level.time)).to(at::kFloat));
  };
  diffusion::SamplingObserver nobody;
  diffusion::run_sampler(*sampler, schedule, denoise, state, nobody);
  return state.x;
}

TEST(ConsistencySteps, AStudentWithoutLossMakesInAFewStepsWhatItsTeacherMakesInFifty) {
  const diffusion::NoiseSchedule schedule;
  const at::Tensor start = rule_input("start", {1, 4, 2, 3, 3});
  const diffusion::SamplerOptions fifty{.steps = 50, .timesteps = {.rule = diffusion::TimestepRule::kTrailing}};
  const at::Tensor teacher =
      sampled(schedule, fifty, start, [&](const at::Tensor& z, std::int64_t t) { return guided_v(schedule, z, t); });
  const auto expect_same = [&](DistillationMethod method, std::int64_t steps) {
    const auto sampling = family::make_distillation(fields::word(method), steps).sampling;
    const at::Tensor student = sampled(schedule, sampling, start, [&](const at::Tensor& z, std::int64_t t) {
      return consistent_v(schedule, method, steps, z, (t + 1) / 20 - 1);
    });
    EXPECT_LE(relative_error(student, teacher), 1e-5) << fields::word(method) << ", " << steps;
    const at::Tensor teacher_in_as_many = sampled(
        schedule, sampling, start, [&](const at::Tensor& z, std::int64_t t) { return guided_v(schedule, z, t); });
    if (steps < 50) {
      EXPECT_GT(relative_error(teacher_in_as_many, teacher), 1e-2) << steps;
    }
  };
  expect_same(DistillationMethod::kLcm, 1);
  for (const std::int64_t steps : {1, 2, 3, 4, 8, 50}) expect_same(DistillationMethod::kPhased, steps);
}

}  // namespace
}  // namespace unianimate::training
