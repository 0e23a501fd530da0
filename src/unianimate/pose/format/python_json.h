// Inside pose: JSON as Python and other programs write it, made JSON.
#pragma once

#include <cstddef>
#include <streambuf>
#include <string>
#include <string_view>

namespace unianimate::pose {

/// Hands on what `source` holds, in which numbers that JSON has no word for ("NaN", "Infinity", "-Infinity", and "nan",
/// "inf" as C writes them) have become null. Strings stay as they are.
class PythonJson final : public std::streambuf {
 public:
  explicit PythonJson(std::streambuf& source) : source_(source) {}

  /// Where in the source the first so many bytes that were handed on end.
  [[nodiscard]] std::size_t source_position(std::size_t handed_on) const;

 protected:
  int_type underflow() override;
  int_type uflow() override;

 private:
  /// Fills handed_on_, where it is empty and there is more.
  void prepare();
  bool begins_with(std::string_view word);
  [[nodiscard]] std::string_view ahead() const { return std::string_view(read_).substr(begin_); }
  bool read_one();

  std::streambuf& source_;
  std::string read_;  // from the source; what is before begin_ has been handed on
  std::size_t begin_ = 0;
  std::string_view word_;      // the rest of a null that is being handed on
  std::ptrdiff_t longer_ = 0;  // by so much the source is longer than what was handed on
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace unianimate::pose
