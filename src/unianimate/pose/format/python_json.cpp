#include "unianimate/pose/format/python_json.h"

#include <algorithm>
#include <cctype>

namespace unianimate::pose {

namespace {

constexpr std::string_view kNull = "null";
constexpr std::string_view kNoNumbers[] = {"NaN", "-NaN", "Infinity", "-Infinity", "nan", "-nan", "inf", "-inf"};
constexpr int kEnd = std::char_traits<char>::eof();

}  // namespace

std::size_t PythonJson::source_position(std::size_t handed_on) const {
  return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(handed_on) + longer_);
}

bool PythonJson::read_one() {
  constexpr std::size_t kKept = 4096;
  if (begin_ > kKept) {
    read_.erase(0, begin_);
    begin_ = 0;
  }
  const int_type next = source_.sbumpc();
  if (next == kEnd) return false;
  read_.push_back(traits_type::to_char_type(next));
  return true;
}

bool PythonJson::begins_with(std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (i == ahead().size() && !read_one()) return false;
    if (ahead()[i] != word[i]) return false;
  }
  if (ahead().size() == word.size() && !read_one()) return true;
  return std::isalnum(static_cast<unsigned char>(ahead()[word.size()])) == 0;
}

PythonJson::int_type PythonJson::underflow() {
  if (!word_.empty()) return traits_type::to_int_type(word_.front());
  if (ahead().empty() && !read_one()) return kEnd;
  if (in_string_) return traits_type::to_int_type(ahead().front());
  const auto word =
      std::ranges::find_if(kNoNumbers, [this](std::string_view no_number) { return begins_with(no_number); });
  if (word == std::end(kNoNumbers)) return traits_type::to_int_type(ahead().front());
  begin_ += word->size();
  longer_ += static_cast<std::ptrdiff_t>(word->size()) - static_cast<std::ptrdiff_t>(kNull.size());
  word_ = kNull;
  return traits_type::to_int_type(word_.front());
}

PythonJson::int_type PythonJson::uflow() {
  const int_type next = underflow();
  if (next == kEnd) return kEnd;
  if (!word_.empty()) {
    word_.remove_prefix(1);
    return next;
  }
  const char c = traits_type::to_char_type(next);
  ++begin_;
  if (escaped_) {
    escaped_ = false;
  } else if (in_string_ && c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = !in_string_;
  }
  return next;
}

}  // namespace unianimate::pose
