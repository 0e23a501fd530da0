#include "unianimate/core/natural_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace unianimate {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the digits at the front of `text` off.
std::string_view take_digits(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  text.remove_prefix(digits.size());
  return digits;
}

std::string_view without_zeros(std::string_view digits) {
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

/// A name taken apart: text, digits, text, …, digits, text, where texts may be empty; so digits have odd places.
std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto digits = static_cast<std::size_t>(std::ranges::find_if(name, is_digit) - name.begin());
    parts.push_back(name.substr(0, digits));
    name.remove_prefix(digits);
    if (name.empty()) return parts;
    parts.push_back(take_digits(name));
  }
}

/// The part that the names differ in, where it is a single one and holds digits.
std::optional<std::size_t> differing_part(const std::vector<std::vector<std::string_view>>& names) {
  std::optional<std::size_t> place;
  for (const auto& name : names) {
    if (name.size() != names.front().size()) return std::nullopt;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i] == names.front()[i]) continue;
      if (i % 2 == 0 || place.value_or(i) != i) return std::nullopt;
      place = i;
    }
  }
  return place;
}

std::optional<std::int64_t> number_of(std::string_view digits) {
  const std::string_view figures = without_zeros(digits);
  if (figures.size() > std::numeric_limits<std::int64_t>::digits10) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(figures.data(), figures.data() + figures.size(), number);
  return number;
}

std::int64_t step_of(std::span<const std::int64_t> numbers) {
  constexpr std::size_t kFewest = 3;
  if (numbers.size() < kFewest) return 1;
  std::int64_t step = numbers[1] - numbers[0];
  for (std::size_t i = 2; i < numbers.size(); ++i) step = std::min(step, numbers[i] - numbers[i - 1]);
  return step;
}

}  // namespace

bool natural_less(std::string_view left, std::string_view right) {
  std::string_view a = left;
  std::string_view b = right;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view first = without_zeros(take_digits(a));
      const std::string_view second = without_zeros(take_digits(b));
      if (first.size() != second.size()) return first.size() < second.size();
      if (first != second) return first < second;
    } else {
      if (a.front() != b.front()) {
        return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front());
      }
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return left < right;
}

int name_digits(std::int64_t count) {
  constexpr int kPublished = 4;
  return std::max(kPublished, static_cast<int>(std::to_string(count - 1).size()));
}

std::optional<std::vector<std::int64_t>> numbers_of_names(std::span<const std::string> names) {
  std::vector<std::vector<std::string_view>> parts;
  for (const std::string& name : names) {
    parts.push_back(parts_of(name));
    if (parts.back().size() < 2) return std::nullopt;
  }
  if (parts.empty()) return std::nullopt;
  const std::optional<std::size_t> place = differing_part(parts);
  std::vector<std::int64_t> numbers;
  for (const auto& name : parts) {
    const std::optional<std::int64_t> number = number_of(name[place.value_or(name.size() - 2)]);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

NumberGaps gaps_between(std::span<const std::int64_t> numbers) {
  constexpr std::size_t kTold = 8;
  NumberGaps gaps;
  gaps.step = step_of(numbers);
  std::vector<std::string> told;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const std::int64_t missing = gaps.between(numbers[i - 1], numbers[i]);
    gaps.count += missing;
    if (missing == 0 || told.size() > kTold) continue;
    const std::int64_t first = numbers[i - 1] + gaps.step;
    const std::int64_t last = numbers[i] - gaps.step;
    if (told.size() == kTold) {
      told.emplace_back("others");
    } else {
      told.push_back(missing == 1   ? fmt::format("{}", first)
                     : missing == 2 ? fmt::format("{}, {}", first, last)
                                    : fmt::format("{} to {}", first, last));
    }
  }
  if (told.empty()) return gaps;
  gaps.text = told.back();
  told.pop_back();
  if (!told.empty()) gaps.text = fmt::format("{} and {}", fmt::join(told, ", "), gaps.text);
  return gaps;
}

}  // namespace unianimate
