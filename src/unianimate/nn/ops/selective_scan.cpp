#include "unianimate/nn/ops/selective_scan.h"

#include <ATen/record_function.h>
#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/nn/ops/ops.h"

namespace unianimate::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Every so many steps the states are kept for the gradients, which compute those in between again.
constexpr std::int64_t kKeptEvery = 16;
constexpr std::int64_t kStatesInCaches = 1 << 18;
constexpr std::int64_t kStatesOnCard = 1 << 26;

/// What lies along the channels beside what lies along the states: (B, P, E) -> (B, P, 1, E), (B, P, N) -> (B, P, N,
/// 1).
at::Tensor over_states(const at::Tensor& x) {
  return x.unsqueeze(2);
}
at::Tensor over_channels(const at::Tensor& x) {
  return x.unsqueeze(3);
}

/// The scan of some pixels, in one format. All operations round each element alike wherever the pixels are parted.
class PixelScan {
 public:
  PixelScan(const at::Tensor& x, const at::Tensor& step, const at::Tensor& b, const at::Tensor& c, const at::Tensor& a,
            bool reversed)
      : x_(x), step_(step), b_(b), c_(c), a_(a.t().contiguous()), reversed_(reversed) {
    scratch_ = at::empty({x.size(0), x.size(2), b.size(3), x.size(3)}, x.options());
  }

  [[nodiscard]] std::int64_t length() const { return x_.size(1); }
  [[nodiscard]] at::Tensor zero_states() const { return at::zeros_like(scratch_); }
  /// Which of the sequence's entries step i is.
  [[nodiscard]] std::int64_t at(std::int64_t i) const { return reversed_ ? length() - 1 - i : i; }

  /// From the states before step i to those after it.
  void advance(const at::Tensor& states, std::int64_t i) const {
    states.mul_(decay(i));
    at::mul_out(scratch_, over_states(scaled(i)), over_channels(b_.select(1, at(i))));
    states.add_(scratch_);
  }

  /// Σ c h: (B, P, E)
  [[nodiscard]] at::Tensor output(const at::Tensor& states, std::int64_t i) const {
    at::mul_out(scratch_, states, over_channels(c_.select(1, at(i))));
    return scratch_.sum(2);
  }

  struct Gradients {
    at::Tensor x;
    at::Tensor step;
    at::Tensor b;
    at::Tensor c;
    at::Tensor a;  ///< (B, P, N, E), a part for each pixel, is added to
  };
  /// `future`: what later steps want of the states after step i; becomes that for the step before. `before`, `after`:
  /// the states around step i.
  void retreat(std::int64_t i, const at::Tensor& future, const at::Tensor& before, const at::Tensor& after,
               const at::Tensor& of_output, const Gradients& into) const {
    const std::int64_t t = at(i);
    const at::Tensor step = step_.select(1, t);
    const at::Tensor x = x_.select(1, t);
    const at::Tensor wanted = of_output.select(1, t);
    at::mul_out(scratch_, over_channels(c_.select(1, t)), over_states(wanted));
    future.add_(scratch_);
    at::mul_out(scratch_, after, over_states(wanted));
    into.c.select(1, t).copy_(scratch_.sum(3));
    at::mul_out(scratch_, future, over_states(scaled(i)));
    into.b.select(1, t).copy_(scratch_.sum(3));
    at::mul_out(scratch_, future, over_channels(b_.select(1, t)));
    const at::Tensor of_scaled = scratch_.sum(2);
    into.x.select(1, t).copy_(of_scaled * step);
    future.mul_(decay(i));
    const at::Tensor of_exponent = future * before;
    at::mul_out(scratch_, of_exponent, over_states(step));
    into.a.add_(scratch_);
    at::mul_out(scratch_, of_exponent, a_);
    into.step.select(1, t).copy_(of_scaled * x + scratch_.sum(2));
  }

 private:
  /// exp(d a): (B, P, N, E), until something else is computed.
  [[nodiscard]] at::Tensor decay(std::int64_t i) const {
    at::mul_out(scratch_, over_states(step_.select(1, at(i))), a_);
    return scratch_.exp_();
  }
  /// d x: (B, P, E)
  [[nodiscard]] at::Tensor scaled(std::int64_t i) const { return step_.select(1, at(i)) * x_.select(1, at(i)); }

  at::Tensor x_;
  at::Tensor step_;
  at::Tensor b_;
  at::Tensor c_;
  at::Tensor a_;  ///< (N, E)
  bool reversed_;
  mutable at::Tensor scratch_;
};

/// A scan in one format, all pixels of it.
struct WholeScan {
  at::Tensor x;
  at::Tensor step;
  at::Tensor b;
  at::Tensor c;
  at::Tensor a;
  bool reversed;
  std::int64_t states_at_once;

  [[nodiscard]] PixelScan of_pixels(std::int64_t first, std::int64_t count) const {
    return {x.narrow(2, first, count),
            step.narrow(2, first, count),
            b.narrow(2, first, count),
            c.narrow(2, first, count),
            a,
            reversed};
  }

  /// body(first, count) for all pixels in turn.
  template <typename Body>
  void for_pixels(const Body& body) const {
    const std::int64_t of_pixel = x.size(0) * a.numel();
    const std::int64_t at_once = std::max<std::int64_t>(1, states_at_once / of_pixel);
    for (std::int64_t first = 0; first < x.size(2); first += at_once) {
      body(first, std::min(at_once, x.size(2) - first));
    }
  }

  /// (B, L, P, E). `kept`: (⌈L / kKeptEvery⌉, B, P, N, E), where it is defined, gets the states before every so many
  /// steps.
  [[nodiscard]] at::Tensor run(ScanHandover* handover, const at::Tensor& kept) const {
    at::Tensor out = at::empty_like(x, at::MemoryFormat::Contiguous);
    for_pixels([&](std::int64_t first, std::int64_t count) {
      const PixelScan scan = of_pixels(first, count);
      const at::Tensor states = scan.zero_states();
      if (handover != nullptr && handover->start.defined()) states.copy_(handover->start.narrow(1, first, count));
      for (std::int64_t i = 0; i < scan.length(); ++i) {
        if (kept.defined() && i % kKeptEvery == 0) kept[i / kKeptEvery].narrow(1, first, count).copy_(states);
        scan.advance(states, i);
        out.select(1, scan.at(i)).narrow(1, first, count).copy_(scan.output(states, i));
        if (handover != nullptr && i + 1 == handover->keep_after) {
          handover->kept.narrow(1, first, count).copy_(states);
        }
      }
    });
    return out;
  }

  [[nodiscard]] at::Tensor kept_states() const {
    const std::int64_t count = (x.size(1) + kKeptEvery - 1) / kKeptEvery;
    return at::empty({count, x.size(0), x.size(2), a.size(1), a.size(0)}, x.options());
  }

  /// In the order of x, step, b, c, a.
  [[nodiscard]] variable_list gradients(const at::Tensor& of_output, const at::Tensor& kept) const {
    variable_list all;
    for (const at::Tensor& like : {x, step, b, c}) all.push_back(at::empty_like(like, at::MemoryFormat::Contiguous));
    const at::Tensor of_a = at::zeros({a.size(1), a.size(0)}, a.options());
    for_pixels([&](std::int64_t first, std::int64_t count) {
      const PixelScan scan = of_pixels(first, count);
      const auto some = [&](const at::Tensor& whole) { return whole.narrow(2, first, count); };
      const PixelScan::Gradients into{some(all[0]), some(all[1]), some(all[2]), some(all[3]), scan.zero_states()};
      const at::Tensor future = scan.zero_states();
      for (std::int64_t stretch = kept.size(0); stretch-- > 0;) {
        const std::int64_t begin = stretch * kKeptEvery;
        const std::int64_t end = std::min(begin + kKeptEvery, scan.length());
        std::vector<at::Tensor> states{kept[stretch].narrow(1, first, count).contiguous()};
        for (std::int64_t i = begin; i < end; ++i) {
          states.push_back(states.back().clone());
          scan.advance(states.back(), i);
        }
        for (std::int64_t i = end; i-- > begin;) {
          const auto known = static_cast<std::size_t>(i - begin);
          scan.retreat(i, future, states[known], states[known + 1], some(of_output), into);
        }
      }
      // One after the other, so that the sum is the same wherever the pixels are parted.
      for (std::int64_t pixel = 0; pixel < count; ++pixel) {
        for (std::int64_t n = 0; n < x.size(0); ++n) of_a.add_(into.a[n][pixel]);
      }
    });
    all.push_back(of_a.t());
    return all;
  }
};

class DifferentiableScan : public torch::autograd::Function<DifferentiableScan> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& step, const at::Tensor& b,
                            const at::Tensor& c, const at::Tensor& a, bool reversed, std::int64_t states_at_once) {
    const WholeScan scan{x, step, b, c, a, reversed, states_at_once};
    const at::Tensor kept = scan.kept_states();
    context->save_for_backward({x, step, b, c, a, kept});
    context->saved_data["reversed"] = reversed;
    context->saved_data["states_at_once"] = states_at_once;
    return scan.run(nullptr, kept);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const WholeScan scan{saved[0],
                         saved[1],
                         saved[2],
                         saved[3],
                         saved[4],
                         context->saved_data["reversed"].toBool(),
                         context->saved_data["states_at_once"].toInt()};
    variable_list all = scan.gradients(gradients[0], saved[5]);
    all.resize(all.size() + 2);  // none for the numbers
    return all;
  }
};

at::Tensor aten_selective_scan(const SelectiveScan& scan, ScanHandover* handover, std::int64_t states_at_once) {
  const at::ScalarType type = at::promote_types(scan.x.scalar_type(), at::kFloat);
  const auto wide = [&](const at::Tensor& x) { return x.to(type); };
  const at::Tensor x = wide(scan.x);
  const at::Tensor step = at::softplus(wide(scan.step) + wide(scan.step_bias));
  const WholeScan whole{x, step, wide(scan.b), wide(scan.c), wide(scan.a), scan.reversed, states_at_once};
  const bool tracked = needs_gradient({x, step, whole.b, whole.c, whole.a});
  if (tracked && handover != nullptr) {
    throw Error(ErrorKind::kUsage, "the states of a selective scan are handed over without gradients only");
  }
  at::Tensor y = tracked ? DifferentiableScan::apply(x, step, whole.b, whole.c, whole.a, scan.reversed, states_at_once)
                         : whole.run(handover, {});
  y = y + wide(scan.skip) * x;
  if (scan.gate.defined()) y = y * at::silu(wide(scan.gate));
  return y.to(scan.x.scalar_type());
}

SequenceOperand sequence(const at::Tensor& x) {
  if (!x.defined()) return {};
  return {x.data_ptr(), x.stride(0), x.stride(1), x.stride(2)};
}

/// What a kernel has to do, but for its numbers in 32 bits and where to.
SelectiveScanProblem problem_of(const SelectiveScan& scan) {
  return {.batch = scan.x.size(0),
          .length = scan.x.size(1),
          .pixels = scan.x.size(2),
          .channels = scan.x.size(3),
          .states = scan.a.size(1),
          .reversed = scan.reversed,
          .x = sequence(scan.x),
          .step = sequence(scan.step),
          .b = sequence(scan.b),
          .c = sequence(scan.c),
          .gate = sequence(scan.gate),
          .step_bias = nullptr,
          .a = nullptr,
          .skip = nullptr,
          .start = nullptr,
          .kept = nullptr,
          .keep_after = 0,
          .out = nullptr};
}

bool is_for_kernel(const Ops& ops, const SelectiveScan& scan) {
  const auto has_channels_dense = [](const at::Tensor& x) { return !x.defined() || x.stride(3) == 1; };
  return ops.selective_scan != nullptr && has_channels_dense(scan.x) && has_channels_dense(scan.step) &&
         has_channels_dense(scan.b) && has_channels_dense(scan.c) && has_channels_dense(scan.gate) &&
         ops.takes_selective_scan(problem_of(scan));
}

/// What all pixels share, in the numbers of kernels.
struct SharedFloats {
  explicit SharedFloats(const SelectiveScan& scan)
      : step_bias(floats(scan.step_bias)), a(floats(scan.a.t())), skip(floats(scan.skip)) {}

  static at::Tensor floats(const at::Tensor& x) { return x.to(at::kFloat).contiguous(); }
  void put_into(SelectiveScanProblem& problem) const {
    problem.step_bias = step_bias.data_ptr<float>();
    problem.a = a.data_ptr<float>();
    problem.skip = skip.data_ptr<float>();
  }

  at::Tensor step_bias;
  at::Tensor a;
  at::Tensor skip;
};

at::Tensor run_kernel(const Ops& ops, const SelectiveScan& scan, const ScanHandover* handover) {
  const SharedFloats shared(scan);
  const at::Tensor start =
      handover != nullptr && handover->start.defined() ? SharedFloats::floats(handover->start) : at::Tensor();
  at::Tensor out = at::empty(scan.x.sizes(), scan.x.options());
  SelectiveScanProblem problem = problem_of(scan);
  shared.put_into(problem);
  if (start.defined()) problem.start = start.data_ptr<float>();
  if (handover != nullptr && handover->keep_after > 0) {
    problem.kept = handover->kept.data_ptr<float>();
    problem.keep_after = handover->keep_after;
  }
  problem.out = out.data_ptr();
  ops.selective_scan(problem, on_aten_threads);
  return out;
}

/// By the kernels, which compute the states again for the gradients.
class DifferentiableKernelScan : public torch::autograd::Function<DifferentiableKernelScan> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& step, const at::Tensor& b,
                            const at::Tensor& c, const std::optional<at::Tensor>& gate, const at::Tensor& step_bias,
                            const at::Tensor& a, const at::Tensor& skip, bool reversed) {
    const SelectiveScan scan{x, step, b, c, gate.value_or(at::Tensor()), step_bias, a, skip, reversed};
    context->save_for_backward({x, step, b, c, scan.gate, step_bias, a, skip});
    context->saved_data["reversed"] = reversed;
    return run_kernel(ops_with_gradients_for(x), scan, nullptr);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    RECORD_USER_SCOPE("unianimate::selective_scan_gradients");
    const variable_list saved = context->get_saved_variables();
    const SelectiveScan scan{saved[0], saved[1], saved[2],
                             saved[3], saved[4], saved[5],
                             saved[6], saved[7], context->saved_data["reversed"].toBool()};
    const c10::DeviceGuard device_guard(scan.x.device());
    const at::Tensor of_out = gradients[0].contiguous();
    variable_list all;
    for (std::size_t i = 0; i < 5; ++i) {
      all.push_back(saved[i].defined() ? at::empty(saved[i].sizes(), saved[i].options()) : at::Tensor());
    }
    const std::int64_t states = scan.a.size(1);
    const at::Tensor of_shared = at::empty({states + 2, scan.x.size(3)}, scan.x.options().dtype(at::kFloat));
    const SharedFloats shared(scan);
    SelectiveScanProblem forward = problem_of(scan);
    shared.put_into(forward);
    ops_with_gradients_for(scan.x).selective_scan_gradients(
        {forward, sequence(of_out), sequence(all[0]), sequence(all[1]), sequence(all[2]), sequence(all[3]),
         sequence(all[4]), of_shared.data_ptr<float>()},
        on_aten_threads);
    all.push_back(of_shared[states + 1].to(scan.step_bias.scalar_type()));
    all.push_back(of_shared.narrow(0, 0, states).t().to(scan.a.scalar_type()));
    all.push_back(of_shared[states].to(scan.skip.scalar_type()));
    all.emplace_back();
    return all;
  }
};

}  // namespace

at::Tensor selective_scan(const SelectiveScan& scan, ScanHandover* handover, std::int64_t states_at_once) {
  RECORD_USER_SCOPE("unianimate::selective_scan");
  const c10::DeviceGuard device_guard(scan.x.device());
  if (handover != nullptr && handover->keep_after > 0) {
    const at::ScalarType type = at::promote_types(scan.x.scalar_type(), at::kFloat);
    handover->kept =
        at::empty({scan.x.size(0), scan.x.size(2), scan.a.size(1), scan.a.size(0)}, scan.x.options().dtype(type));
  }
  const Ops& ops = ops_for(scan.x, {scan.step, scan.b, scan.c, scan.gate, scan.step_bias, scan.a, scan.skip});
  if (is_for_kernel(ops, scan)) return run_kernel(ops, scan, handover);
  const Ops& with_gradients = ops_with_gradients_for(scan.x);
  if (handover == nullptr && with_gradients.selective_scan_gradients != nullptr &&
      is_for_kernel(with_gradients, scan)) {
    return DifferentiableKernelScan::apply(scan.x, scan.step, scan.b, scan.c, optional_of(scan.gate), scan.step_bias,
                                           scan.a, scan.skip, scan.reversed);
  }
  const std::int64_t usual = scan.x.is_cpu() ? kStatesInCaches : kStatesOnCard;
  return aten_selective_scan(scan, handover, states_at_once > 0 ? states_at_once : usual);
}

}  // namespace unianimate::nn
