// Names that hold numbers: their order, and the numbers in a series of them ("clip_0003.json").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate {

/// The order in which people count: runs of digits compare as numbers of any length, all else byte by byte, upper case
/// before lower case: "2" < "10", "a9" < "a10" < "b1". Names that differ in leading zeros alone compare as bytes. A
/// strict total order of any bytes.
bool natural_less(std::string_view left, std::string_view right);

/// Digits that numbers from 0 to count − 1 are written with in names: 4, as the published program has them, or as many
/// as the last one needs, so that programs that sort them as text find the same order.
int name_digits(std::int64_t count);

/// The number of each name: where all names differ in one run of digits alone, that one, else the last one. Nothing
/// where a name has none, or one of more than 18 digits.
std::optional<std::vector<std::int64_t>> numbers_of_names(std::span<const std::string> names);

/// What a series of numbers leaves out.
struct NumberGaps {
  std::int64_t step = 1;   ///< from one number to the next where none is left out
  std::int64_t count = 0;  ///< of numbers left out
  std::string text;        ///< "3, 4 and 7 to 9"; the first few where there are many; empty for none

  /// How many are left out from one number of the series to the next.
  [[nodiscard]] std::int64_t between(std::int64_t number, std::int64_t next) const {
    return (next - number + step / 2) / step - 1;
  }
};

/// `numbers` rise, none twice. The step is the smallest difference, or 1 of fewer than three numbers; other differences
/// are rounded to multiples of it, so that milliseconds (0, 33, 67) have no gaps.
NumberGaps gaps_between(std::span<const std::int64_t> numbers);

}  // namespace unianimate
