#include "unianimate/diffusion/timesteps.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/diffusion/consistency.h"

namespace unianimate::diffusion {

namespace {

constexpr std::int64_t kLast = kTimesteps - 1;

using Numbers = std::vector<std::int64_t>;

/// a / b for positive numbers, halves up.
constexpr std::int64_t rounded_ratio(std::int64_t a, std::int64_t b) {
  return (2 * a + b) / (2 * b);
}

template <typename Timestep>
Numbers counted_down(std::int64_t steps, const Timestep& timestep) {
  Numbers list;
  for (std::int64_t i = steps; i > 0; --i) list.push_back(timestep(i));
  return list;
}

Numbers published(const Numbers& /*numbers*/, std::int64_t steps) {
  const std::int64_t stride = published_stride(steps);
  Numbers list;
  for (std::int64_t t = 0; t < kTimesteps; t += stride) list.push_back(std::min(1 + t, kLast));
  std::ranges::reverse(list);
  return list;
}

Numbers trailing(const Numbers& /*numbers*/, std::int64_t steps) {
  return counted_down(steps, [&](std::int64_t i) { return rounded_ratio(i * kTimesteps, steps) - 1; });
}

Numbers linspace(const Numbers& /*numbers*/, std::int64_t steps) {
  // In doubles as numpy has it, which rounds halves to even.
  const double distance = static_cast<double>(kLast) / static_cast<double>(steps);
  return counted_down(steps, [&](std::int64_t i) {
    return i == steps ? kLast : static_cast<std::int64_t>(std::nearbyint(static_cast<double>(i) * distance));
  });
}

Numbers multistep_leading(const Numbers& /*numbers*/, std::int64_t steps) {
  return counted_down(steps, [&](std::int64_t i) { return i * (kTimesteps / (steps + 1)) + 1; });
}

Numbers distillation(const Numbers& /*numbers*/, std::int64_t steps) {
  return counted_down(
      steps, [&](std::int64_t i) { return kLast - kConsistencyStride * ((steps - i) * kConsistencyGrid / steps); });
}

Numbers between(const Numbers& numbers, std::int64_t steps) {
  if (steps == 1) return {numbers.at(0)};
  return counted_down(steps, [&](std::int64_t i) {
    return rounded_ratio(numbers.at(0) * (i - 1) + numbers.at(1) * (steps - i), steps - 1);
  });
}

Numbers own(const Numbers& numbers, std::int64_t /*steps*/) {
  return numbers;
}

struct Rule {
  Numbers (*list)(const Numbers& numbers, std::int64_t steps);
  std::int64_t most_steps;  ///< with as many different timesteps
};

/// In the order of the enumeration.
constexpr std::array kRules{Rule{published, kTimesteps},
                            Rule{trailing, kTimesteps},
                            Rule{linspace, kTimesteps - 1},
                            Rule{multistep_leading, kTimesteps - 2},
                            Rule{distillation, kConsistencyGrid},
                            Rule{between, kTimesteps},
                            Rule{own, kTimesteps}};

const Rule& rule_of(const TimestepList& list) {
  return kRules.at(static_cast<std::size_t>(list.rule));
}

/// The whole numbers that `text` is made of, or nothing where it is none such.
std::optional<Numbers> read_numbers(std::string_view text, char separator) {
  Numbers numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    std::int64_t number = 0;
    const auto [stop, problem] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (part.empty() || problem != std::errc() || stop != part.data() + part.size()) return std::nullopt;
    numbers.push_back(number);
    begin = end + 1;
  }
  return numbers;
}

void require_descending(const Numbers& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0 || numbers[i] > kLast) {
      throw Error(ErrorKind::kUsage, "every one of the timesteps must be between 0 and {}, found {}", kLast,
                  numbers[i]);
    }
    if (i > 0 && numbers[i] >= numbers[i - 1]) {
      throw Error(ErrorKind::kUsage, "the timesteps must descend, but {} stands before {}", numbers[i - 1], numbers[i]);
    }
  }
}

}  // namespace

std::int64_t published_stride(std::int64_t steps) {
  return kTimesteps / steps;
}

TimestepList TimestepList::parse(std::string_view text) {
  if (text == "leading") return {};
  if (const auto rule = fields::find_word<TimestepRule>(text)) return {*rule};
  TimestepList list;
  if (auto ends = read_numbers(text, '-'); ends && ends->size() == 2) {
    list = {TimestepRule::kBetween, std::move(*ends)};
  } else if (auto numbers = read_numbers(text, ',')) {
    list = {TimestepRule::kOwn, std::move(*numbers)};
  } else {
    throw Error(ErrorKind::kUsage,
                "the timesteps must be {}, or FIRST-LAST such as 949-25, or a descending list such as "
                "999,749,499,249; found '{}'",
                fields::one_of(fields::word_list<TimestepRule>()), printable(text));
  }
  require_descending(list.numbers);
  return list;
}

std::string TimestepList::text() const {
  if (rule == TimestepRule::kBetween) return fmt::format("{}", fmt::join(numbers, "-"));
  if (rule == TimestepRule::kOwn) return fmt::format("{}", fmt::join(numbers, ","));
  return std::string(fields::word(rule));
}

void check_timesteps(const TimestepList& list, std::int64_t steps) {
  require_descending(list.numbers);
  const auto count = static_cast<std::int64_t>(list.numbers.size());
  if (list.rule == TimestepRule::kOwn && count != steps) {
    throw Error(ErrorKind::kUsage, "steps must be {}, the number of the timesteps listed, found {}", count, steps);
  }
  const std::int64_t most =
      list.rule == TimestepRule::kBetween ? list.numbers.at(0) - list.numbers.at(1) + 1 : rule_of(list).most_steps;
  if (steps <= most) return;
  throw Error(ErrorKind::kUsage, "the timesteps {} are {} at most, found {} steps; take fewer, or other timesteps",
              list.text(), most, steps);
}

std::vector<std::int64_t> timesteps(const TimestepList& list, std::int64_t steps) {
  return rule_of(list).list(list.numbers, steps);
}

}  // namespace unianimate::diffusion
