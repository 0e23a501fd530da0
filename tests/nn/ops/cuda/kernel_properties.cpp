#include "nn/ops/cuda/kernel_properties.h"

#include <cmath>
#include <cstring>
#include <span>
#include <sstream>

#include "nn/ops/cuda/host_numbers.h"
#include "nn/ops/cuda/references.h"

namespace unianimate::testing {

namespace {

using nn::KernelElement;

std::size_t size_of(std::int64_t count) {
  return static_cast<std::size_t>(count);
}

/// `count` numbers between -scale and scale about the offset, which look random and are always the same for one seed.
Numbers numbers(std::int64_t count, std::uint64_t seed, double scale = 1, double offset = 0) {
  Numbers result(size_of(count));
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U;
  for (double& number : result) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t bits = state;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EBU;
    number = offset + scale * (std::ldexp(static_cast<double>((bits ^ bits >> 31) >> 11), -52) - 1);
  }
  return result;
}

const char* name_of(KernelElement element) {
  switch (element) {
    case KernelElement::kFloat:
      return "fp32";
    case KernelElement::kBFloat16:
      return "bf16";
    case KernelElement::kHalf:
      return "fp16";
  }
  return "";
}

/// As a part of the length of the expected result.
double tolerance_of(KernelElement element) {
  switch (element) {
    case KernelElement::kFloat:
      return 1e-6;
    case KernelElement::kBFloat16:
      return 3e-3;
    case KernelElement::kHalf:
      return 4e-4;
  }
  return 0;
}

/// Numbers as elements of a device's buffer, `skipped` elements behind its beginning.
class Operand {
 public:
  Operand(KernelBackend& backend, KernelElement element, Numbers& values, std::int64_t skipped = 0)
      : element_(element), count_(values.size()) {
    nn::with_element(element, [&](auto zero) {
      using T = decltype(zero);
      std::vector<std::byte> bytes((values.size() + size_of(skipped)) * sizeof(T));
      for (std::size_t i = 0; i < values.size(); ++i) {
        const T rounded = from_float<T>(static_cast<float>(values[i]));
        values[i] = static_cast<double>(to_float(rounded));
        std::memcpy(bytes.data() + (i + size_of(skipped)) * sizeof(T), &rounded, sizeof(T));
      }
      data_ = backend.upload(bytes) + size_of(skipped) * sizeof(T);
    });
  }

  [[nodiscard]] std::byte* data() const { return data_; }

  [[nodiscard]] Numbers read(KernelBackend& backend) const {
    Numbers values(count_);
    nn::with_element(element_, [&](auto zero) {
      using T = decltype(zero);
      const std::vector<std::byte> bytes = backend.download(data_, count_ * sizeof(T));
      for (std::size_t i = 0; i < count_; ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        values[i] = static_cast<double>(to_float(value));
      }
    });
    return values;
  }

 private:
  KernelElement element_;
  std::size_t count_;
  std::byte* data_ = nullptr;
};

/// A result that nothing is written to yet.
Numbers unwritten(std::size_t count) {
  return Numbers(count, -1234.0);
}

/// NaN and infinities have to be the same, everything else close in all.
std::string difference(const Numbers& found, const Numbers& expected, double tolerance) {
  double distance = 0;
  double length = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::isfinite(expected[i]) && std::isfinite(found[i])) {
      distance += (found[i] - expected[i]) * (found[i] - expected[i]);
      length += expected[i] * expected[i];
      continue;
    }
    if (found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))) continue;
    std::ostringstream text;
    text << "element " << i << " is " << found[i] << ", not " << expected[i];
    return text.str();
  }
  constexpr double kSmallestHalf = 6e-8;
  const double of_count = std::sqrt(static_cast<double>(expected.size()));
  if (std::sqrt(distance) <= tolerance * std::sqrt(length) + kSmallestHalf * of_count) return "";
  std::ostringstream text;
  text << "it differs by " << std::sqrt(distance / length) << " of its length, at most " << tolerance << " is allowed";
  return text.str();
}

/// The first of these that is wrong.
std::string first_of(std::initializer_list<std::string> problems) {
  for (const std::string& problem : problems) {
    if (!problem.empty()) return problem;
  }
  return "";
}

enum class Special { kNone, kNan, kInfinity };

void put_special(Numbers& values, Special special) {
  if (special == Special::kNan) values[values.size() / 3] = NAN;
  if (special == Special::kInfinity) values[values.size() / 3] = INFINITY;
}

const char* name_of(Special special) {
  switch (special) {
    case Special::kNone:
      return "";
    case Special::kNan:
      return ", with a NaN";
    case Special::kInfinity:
      return ", with an infinity";
  }
  return "";
}

struct GatedGeluCase {
  std::int64_t rows, width, skipped;
  Special special;
};

std::string check_gated_gelu(KernelBackend& backend, KernelElement element, const GatedGeluCase& size) {
  Numbers in = numbers(size.rows * 2 * size.width, 1, 6);
  put_special(in, size.special);
  const Operand from(backend, element, in, size.skipped);
  Numbers out = unwritten(size_of(size.rows * size.width));
  const Operand to(backend, element, out, size.skipped);
  const nn::GatedGeluProblem problem{size.rows, size.width, from.data(), to.data()};
  const std::string failure = backend.gated_gelu(element, problem);
  const Numbers found = to.read(backend);
  return first_of(
      {failure, backend.release(), difference(found, gated_gelu_reference(problem, in), tolerance_of(element))});
}

struct GroupNormCase {
  std::int64_t batch, rows, channels, groups, skipped;
  bool silu;
  double offset;
  Special special;
  std::int64_t images_per_shift = 0;  ///< none: no shift
};

std::string check_group_norm(KernelBackend& backend, KernelElement element, const GroupNormCase& size) {
  Numbers in = numbers(size.batch * size.rows * size.channels, 1);
  // Channels that lie far from each other and from zero.
  for (std::size_t i = 0; i < in.size(); ++i)
    in[i] += size.offset * std::sin(static_cast<double>(i % size_of(size.channels)));
  put_special(in, size.special);
  Numbers weights = numbers(size.channels, 2);
  Numbers biases = numbers(size.channels, 3);
  Numbers out = unwritten(in.size());
  const bool has_shift = size.images_per_shift > 0;
  Numbers shifts = has_shift ? numbers(size.batch / size.images_per_shift * size.channels, 4, 3) : Numbers();
  const Operand x(backend, element, in, size.skipped);
  const Operand weight(backend, element, weights);
  const Operand bias(backend, element, biases);
  const Operand shift(backend, element, shifts);
  const Operand to(backend, element, out, size.skipped);
  const nn::GroupNormProblem problem{.batch = size.batch,
                                     .rows = size.rows,
                                     .channels = size.channels,
                                     .groups = size.groups,
                                     .eps = 1e-5,
                                     .silu = size.silu,
                                     .x = x.data(),
                                     .weight = weight.data(),
                                     .bias = bias.data(),
                                     .out = to.data(),
                                     .shift = has_shift ? shift.data() : nullptr,
                                     .images_per_shift = has_shift ? size.images_per_shift : 1};
  const std::string failure = backend.group_norm(element, problem);
  const Numbers found = to.read(backend);
  const Numbers expected = group_norm_reference(problem, in, weights, biases, shifts);
  return first_of({failure, backend.release(), difference(found, expected, tolerance_of(element))});
}

std::string check_constant_group_norm(KernelBackend& backend, KernelElement element) {
  Numbers in(600 * 16, 1000.0);
  Numbers ones(16, 1.0);
  Numbers biases = numbers(16, 3);
  Numbers out = unwritten(in.size());
  const Operand x(backend, element, in);
  const Operand weight(backend, element, ones);
  const Operand bias(backend, element, biases);
  const Operand to(backend, element, out);
  const std::string failure =
      backend.group_norm(element, {2, 300, 16, 4, 1e-6, false, x.data(), weight.data(), bias.data(), to.data()});
  const Numbers found = to.read(backend);
  Numbers expected;
  for (std::size_t i = 0; i < in.size(); ++i) expected.push_back(biases[i % biases.size()]);
  return first_of({failure, backend.release(), difference(found, expected, tolerance_of(element))});
}

struct RowsCase {
  std::int64_t rows, channels, skipped;
  double offset;
  Special special;
};

std::string check_layer_norm(KernelBackend& backend, KernelElement element, const RowsCase& size) {
  Numbers xs = numbers(size.rows * size.channels, 1, 1, size.offset);
  Numbers more = numbers(size.rows * size.channels, 2, 2);
  put_special(more, size.special);
  Numbers weights = numbers(size.channels, 3);
  Numbers biases = numbers(size.channels, 4);
  Numbers outs = unwritten(xs.size());
  Numbers sums = unwritten(xs.size());
  const Operand x(backend, element, xs, size.skipped);
  const Operand added(backend, element, more);
  const Operand weight(backend, element, weights);
  const Operand bias(backend, element, biases);
  const Operand out(backend, element, outs);
  const Operand sum(backend, element, sums);
  const nn::LayerNormProblem problem{size.rows,     size.channels, 1e-5,       x.data(),  added.data(),
                                     weight.data(), bias.data(),   sum.data(), out.data()};
  const std::string failure = backend.layer_norm(element, problem);
  const Numbers found = out.read(backend);
  const Numbers found_sum = sum.read(backend);
  Numbers expected_sum;
  for (std::size_t i = 0; i < xs.size(); ++i) expected_sum.push_back(xs[i] + more[i]);
  // Rounded as the kernel has to.
  const Numbers rounded = Operand(backend, element, expected_sum).read(backend);
  return first_of({failure, backend.release(), difference(found_sum, rounded, 0),
                   difference(found, layer_norm_reference(problem, rounded, weights, biases), tolerance_of(element))});
}

/// Of x alone, without a sum.
std::string check_plain_layer_norm(KernelBackend& backend, KernelElement element, const RowsCase& size) {
  Numbers xs = numbers(size.rows * size.channels, 1, 1, size.offset);
  put_special(xs, size.special);
  Numbers weights = numbers(size.channels, 3);
  Numbers biases = numbers(size.channels, 4);
  Numbers outs = unwritten(xs.size());
  const Operand x(backend, element, xs, size.skipped);
  const Operand weight(backend, element, weights);
  const Operand bias(backend, element, biases);
  const Operand out(backend, element, outs);
  const nn::LayerNormProblem problem{size.rows,     size.channels, 1e-5,    x.data(),  nullptr,
                                     weight.data(), bias.data(),   nullptr, out.data()};
  const std::string failure = backend.layer_norm(element, problem);
  const Numbers found = out.read(backend);
  return first_of({failure, backend.release(),
                   difference(found, layer_norm_reference(problem, xs, weights, biases), tolerance_of(element))});
}

std::string check_residual(KernelBackend& backend, KernelElement element, const RowsCase& size) {
  Numbers xs = numbers(size.rows * size.channels, 1, 1, size.offset);
  Numbers residuals = numbers(size.rows * size.channels, 2, 2);
  put_special(residuals, size.special);
  Numbers biases = numbers(size.channels, 3);
  const Operand x(backend, element, xs, size.skipped);
  const Operand residual(backend, element, residuals);
  const Operand bias(backend, element, biases);
  // Into x, as networks do.
  const std::string failure =
      backend.residual(element, {size.rows, size.channels, x.data(), bias.data(), residual.data(), x.data()});
  const Numbers found = x.read(backend);
  Numbers expected;
  for (std::size_t i = 0; i < xs.size(); ++i) expected.push_back(xs[i] + biases[i % biases.size()] + residuals[i]);
  return first_of({failure, backend.release(), difference(found, expected, tolerance_of(element))});
}

struct SequenceCase {
  std::int64_t batch, length, pixels, channels, states;
  bool reversed, gated, handover;
  Special special;
};

const float* floats_of(const Operand& operand) {
  return reinterpret_cast<const float*>(operand.data());
}

/// The half of a projection, beside which the other lies.
nn::SequenceOperand half_of(const SequenceCase& size, const std::byte* data) {
  const std::int64_t row = 2 * size.channels;
  return {data, size.length * size.pixels * row, size.pixels * row, row};
}

std::string check_causal_convolution(KernelBackend& backend, KernelElement element, const SequenceCase& size) {
  const std::int64_t history = size.handover ? nn::kCausalTaps - 1 : 0;
  const std::int64_t row = 2 * size.channels;
  const std::int64_t time = size.pixels * row;
  Numbers xs = numbers(size.batch * (size.length + history) * time, 1, 2);
  put_special(xs, size.special);
  Numbers weights = numbers(nn::kCausalTaps * size.channels, 2);
  Numbers biases = numbers(size.channels, 3);
  Numbers outs = unwritten(size_of(size.batch * size.length * size.pixels * size.channels));
  const Operand x(backend, element, xs);
  const Operand weight(backend, KernelElement::kFloat, weights);
  const Operand bias(backend, KernelElement::kFloat, biases);
  const Operand out(backend, element, outs);
  const std::int64_t bytes = element == KernelElement::kFloat ? 4 : 2;
  const nn::CausalConvolutionProblem problem{
      size.batch,
      size.length,
      size.pixels,
      size.channels,
      size.reversed,
      history,
      {x.data() + history * time * bytes, (size.length + history) * time, time, row},
      floats_of(weight),
      floats_of(bias),
      out.data()};
  const std::string failure = backend.causal_convolution(element, problem);
  const Numbers found = out.read(backend);
  return first_of(
      {failure, backend.release(),
       difference(found, causal_convolution_reference(problem, xs, weights, biases), tolerance_of(element))});
}

std::string check_selective_scan(KernelBackend& backend, KernelElement element, const SequenceCase& size) {
  const std::int64_t tokens = size.batch * size.length * size.pixels;
  const std::int64_t columns = 1 + 2 * size.states;
  const std::int64_t states = size.batch * size.pixels * size.states * size.channels;
  ScanNumbers all{numbers(tokens * 2 * size.channels, 1),
                  numbers(tokens * 2 * size.channels, 2, 2.5, -1.5),
                  numbers(tokens * columns, 3),
                  {},
                  size.gated ? numbers(tokens * 2 * size.channels, 4) : Numbers(),
                  numbers(size.channels, 5),
                  numbers(size.channels * size.states, 6, 2, -2),
                  numbers(size.channels, 7),
                  size.handover ? numbers(states, 8) : Numbers()};
  put_special(all.x, size.special);
  Numbers outs = unwritten(size_of(tokens * size.channels));
  Numbers keeps = unwritten(size_of(size.handover ? states : 0));
  constexpr KernelElement kFloats = KernelElement::kFloat;
  const Operand x(backend, element, all.x);
  const Operand step(backend, element, all.step);
  const Operand b(backend, element, all.b);
  const Operand gate(backend, element, all.gate);
  const Operand step_bias(backend, kFloats, all.step_bias);
  const Operand a(backend, kFloats, all.a);
  const Operand skip(backend, kFloats, all.skip);
  const Operand start(backend, kFloats, all.start);
  const Operand kept(backend, kFloats, keeps);
  const Operand out(backend, element, outs);
  const std::int64_t bytes = element == KernelElement::kFloat ? 4 : 2;
  const auto columns_from = [&](std::int64_t first) {
    return nn::SequenceOperand{b.data() + first * bytes, size.length * size.pixels * columns, size.pixels * columns,
                               columns};
  };
  all.c.assign(all.b.begin() + 1 + size.states, all.b.end());
  all.b.erase(all.b.begin());
  const nn::SelectiveScanProblem problem{.batch = size.batch,
                                         .length = size.length,
                                         .pixels = size.pixels,
                                         .channels = size.channels,
                                         .states = size.states,
                                         .reversed = size.reversed,
                                         .x = half_of(size, x.data()),
                                         .step = half_of(size, step.data()),
                                         .b = columns_from(1),
                                         .c = columns_from(1 + size.states),
                                         .gate = size.gated ? half_of(size, gate.data()) : nn::SequenceOperand{},
                                         .step_bias = floats_of(step_bias),
                                         .a = floats_of(a),
                                         .skip = floats_of(skip),
                                         .start = size.handover ? floats_of(start) : nullptr,
                                         .kept = size.handover ? reinterpret_cast<float*>(kept.data()) : nullptr,
                                         .keep_after = size.handover ? (size.length + 1) / 2 : 0,
                                         .out = out.data()};
  const std::string failure = backend.selective_scan(element, problem);
  const Numbers found = out.read(backend);
  const Numbers found_kept = kept.read(backend);
  Numbers expected_kept;
  const Numbers expected = selective_scan_reference(problem, all, expected_kept);
  return first_of({failure, backend.release(), difference(found, expected, tolerance_of(element)),
                   difference(found_kept, expected_kept, tolerance_of(kFloats))});
}

/// How q, k and v lie: each dense by itself, or all three beside each other in one tensor.
enum class Layout { kApart, kTogether };

struct AttentionCase {
  std::int64_t pixels, queries, keys, heads, dim, skipped;
  Layout layout;
  Special special;
};

/// Sequences along the frames: element (pixel, frame, head, d) of (frames, pixels, heads, dim).
nn::AttentionOperand along_frames(const AttentionCase& size, std::int64_t tensors, const std::byte* data) {
  return {data, tensors * size.heads * size.dim, size.pixels * tensors * size.heads * size.dim, size.dim};
}

std::string check_attention(KernelBackend& backend, KernelElement element, const AttentionCase& size) {
  const std::int64_t tensors = size.layout == Layout::kTogether ? 3 : 1;
  const std::int64_t row = tensors * size.pixels * size.heads * size.dim;
  Numbers qs = numbers(size.queries * row, 1, 2);
  Numbers ks = numbers(size.keys * row, 2, 2);
  Numbers vs = numbers(size.keys * row, 3, 2);
  put_special(ks, size.special);
  Numbers outs = unwritten(size_of(size.queries * size.pixels * size.heads * size.dim));
  const Operand q(backend, element, qs, size.skipped);
  const Operand k(backend, element, ks, size.skipped);
  const Operand v(backend, element, vs, size.skipped);
  const Operand out(backend, element, outs);
  const nn::AttentionProblem problem{
      size.pixels,
      size.queries,
      size.keys,
      size.heads,
      size.dim,
      1.0F / std::sqrt(static_cast<float>(size.dim)),
      along_frames(size, tensors, q.data()),
      along_frames(size, tensors, k.data()),
      along_frames(size, tensors, v.data()),
      along_frames(size, 1, out.data()),
  };
  if (!backend.takes_attention(element, problem)) return first_of({backend.release(), "it is not taken"});
  const std::string failure = backend.attention(element, problem);
  const Numbers found = out.read(backend);
  const Numbers by_pixel = attention_reference(problem, qs, ks, vs);
  Numbers expected(by_pixel.size());
  const std::int64_t of_token = size.heads * size.dim;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(by_pixel.size()); ++i) {
    const std::int64_t pixel = i / of_token / size.queries;
    const std::int64_t frame = i / of_token % size.queries;
    expected[size_of((frame * size.pixels + pixel) * of_token + i % of_token)] = by_pixel[size_of(i)];
  }
  return first_of({failure, backend.release(), difference(found, expected, tolerance_of(element))});
}

std::string check_refused(KernelBackend& backend, KernelElement element) {
  const auto problem = [](std::int64_t queries, std::int64_t keys, std::int64_t dim) {
    return nn::AttentionProblem{1, queries, keys, 1, dim, 1.0F, {}, {}, {}, {}};
  };
  for (const nn::AttentionProblem& foreign : {problem(65, 9, 64), problem(9, 65, 64), problem(9, 9, 512)}) {
    if (backend.takes_attention(element, foreign)) return "it takes sequences or heads that are not for it";
  }
  return "";
}

template <typename Case>
void add(std::vector<KernelProperty>& properties, const char* kernel, const std::string& name, const Case& size,
         std::string (*check)(KernelBackend&, KernelElement, const Case&)) {
  for (const KernelElement element : {KernelElement::kFloat, KernelElement::kBFloat16, KernelElement::kHalf}) {
    properties.push_back({kernel, name + ", " + name_of(element),
                          [=](KernelBackend& backend) { return check(backend, element, size); }});
  }
}

template <typename... Numbers>
std::string words(const Numbers&... numbers) {
  std::ostringstream text;
  (text << ... << numbers);
  return text.str();
}

void add_gated_gelu(std::vector<KernelProperty>& properties) {
  for (const GatedGeluCase& size : {GatedGeluCase{1, 1, 0, Special::kNone},
                                    {3, 24, 0, Special::kNone},
                                    {7, 13, 0, Special::kNone},
                                    {257, 40, 0, Special::kNone},
                                    {5, 16, 1, Special::kNone},
                                    {50, 16, 0, Special::kNan},
                                    {50, 16, 0, Special::kInfinity}}) {
    add(properties, "gated_gelu",
        words(size.rows, " rows of ", size.width, ", ", size.skipped, " skipped", name_of(size.special)), size,
        check_gated_gelu);
  }
}

void add_group_norm(std::vector<KernelProperty>& properties) {
  // One row; frames by themselves; clips of more than one chunk; more channels than threads; channels in no packs.
  for (const GroupNormCase& size : {GroupNormCase{1, 1, 40, 8, 0, false, 0, Special::kNone},
                                    {3, 35, 40, 8, 0, true, 5, Special::kNone},
                                    {2, 1287, 40, 8, 0, false, 5, Special::kNone},
                                    {1, 8500, 8, 2, 0, true, 1, Special::kNone},
                                    {1, 70, 320, 32, 0, true, 1, Special::kNone},
                                    {1, 9, 2560, 32, 0, true, 1, Special::kNone},
                                    {2, 33, 6, 3, 0, false, 1, Special::kNone},
                                    {1, 40, 515, 5, 0, true, 1, Special::kNone},
                                    {2, 35, 16, 4, 1, true, 1, Special::kNone},
                                    {6, 35, 40, 8, 0, true, 1, Special::kNone, 3},
                                    {2, 1287, 40, 8, 0, false, 5, Special::kNone, 2},
                                    {2, 33, 6, 3, 0, true, 1, Special::kNone, 1},
                                    {2, 70, 16, 4, 0, true, 1, Special::kNan, 1},
                                    {2, 70, 16, 4, 0, true, 1, Special::kNan},
                                    {2, 70, 16, 4, 0, false, 1, Special::kInfinity}}) {
    add(properties, "group_norm",
        words(size.batch, " images of ", size.rows, " rows, ", size.channels, " channels in ", size.groups, " groups, ",
              size.skipped, " skipped, about ", size.offset, size.silu ? ", SiLU" : "", name_of(size.special),
              size.images_per_shift > 0 ? ", shifted" : ""),
        size, check_group_norm);
  }
  for (const KernelElement element : {KernelElement::kFloat, KernelElement::kBFloat16, KernelElement::kHalf}) {
    properties.push_back({"group_norm", std::string("a constant gives the bias, ") + name_of(element),
                          [=](KernelBackend& backend) { return check_constant_group_norm(backend, element); }});
  }
}

void add_rows(std::vector<KernelProperty>& properties, const char* kernel,
              std::string (*check)(KernelBackend&, KernelElement, const RowsCase&)) {
  // One number; fewer packs than threads of a warp, and more; channels in no packs; many rows, the last block not full.
  for (const RowsCase& size : {RowsCase{1, 1, 0, 0, Special::kNone},
                               {5, 40, 0, 0, Special::kNone},
                               {3, 1280, 0, 3, Special::kNone},
                               {6, 515, 0, 0, Special::kNone},
                               {257, 24, 0, 1, Special::kNone},
                               {5, 320, 1, 0, Special::kNone},
                               {9, 64, 0, 0, Special::kNan},
                               {9, 64, 0, 0, Special::kInfinity}}) {
    add(properties, kernel,
        words(size.rows, " rows of ", size.channels, ", ", size.skipped, " skipped, about ", size.offset,
              name_of(size.special)),
        size, check);
  }
}

void add_sequences(std::vector<KernelProperty>& properties, const char* kernel,
                   std::string (*check)(KernelBackend&, KernelElement, const SequenceCase&)) {
  // One step; fewer channels than threads of a warp, and more than those of a block; both directions; parts of longer
  // sequences.
  for (const SequenceCase& size : {SequenceCase{1, 1, 1, 1, 4, false, false, false, Special::kNone},
                                   {2, 9, 3, 20, 8, false, true, false, Special::kNone},
                                   {2, 9, 3, 20, 16, true, true, false, Special::kNone},
                                   {1, 37, 2, 300, 16, false, true, false, Special::kNone},
                                   {2, 7, 3, 20, 4, false, true, true, Special::kNone},
                                   {1, 33, 5, 24, 16, false, false, true, Special::kNone},
                                   {1, 6, 3, 20, 8, true, true, false, Special::kNan}}) {
    add(properties, kernel,
        words(size.batch, " sequences of ", size.length, " at ", size.pixels, " pixels, ", size.channels,
              " channels with ", size.states, " states", size.reversed ? ", reversed" : "", size.gated ? ", gated" : "",
              size.handover ? ", handed over" : "", name_of(size.special)),
        size, check);
  }
}

void add_attention(std::vector<KernelProperty>& properties) {
  std::vector<AttentionCase> sizes{{2, 9, 9, 3, 40, 0, Layout::kApart, Special::kNone},
                                   {3, 5, 17, 1, 5, 0, Layout::kApart, Special::kNone},
                                   {1, 17, 5, 2, 128, 0, Layout::kTogether, Special::kNone},
                                   {2, 16, 16, 2, 64, 0, Layout::kTogether, Special::kNone},
                                   {2, 7, 7, 2, 32, 1, Layout::kApart, Special::kNone},
                                   {3, 6, 6, 2, 16, 0, Layout::kApart, Special::kNan},
                                   {3, 6, 6, 2, 16, 0, Layout::kApart, Special::kInfinity}};
  constexpr std::int64_t kMostFrames = 64;
  for (std::int64_t frames = 1; frames <= kMostFrames; ++frames) {
    sizes.push_back({2, frames, frames, 1, 8, 0, Layout::kApart, Special::kNone});
  }
  sizes.push_back({1, kMostFrames, kMostFrames, 1, 64, 0, Layout::kTogether, Special::kNone});
  for (const AttentionCase& size : sizes) {
    add(properties, "attention",
        words(size.pixels, " pixels, ", size.queries, " queries, ", size.keys, " keys, ", size.heads, " heads of ",
              size.dim, ", ", size.skipped, " skipped", size.layout == Layout::kTogether ? ", q, k and v together" : "",
              name_of(size.special)),
        size, check_attention);
  }
  for (const KernelElement element : {KernelElement::kFloat, KernelElement::kBFloat16, KernelElement::kHalf}) {
    properties.push_back({"attention", std::string("others are not taken, ") + name_of(element),
                          [=](KernelBackend& backend) { return check_refused(backend, element); }});
  }
}

}  // namespace

std::vector<KernelProperty> kernel_properties() {
  std::vector<KernelProperty> properties;
  add_gated_gelu(properties);
  add_group_norm(properties);
  add_attention(properties);
  add_rows(properties, "layer_norm", check_layer_norm);
  add_rows(properties, "layer_norm", check_plain_layer_norm);
  add_rows(properties, "residual", check_residual);
  add_sequences(properties, "causal_convolution", check_causal_convolution);
  add_sequences(properties, "selective_scan", check_selective_scan);
  return properties;
}

}  // namespace unianimate::testing
