#include "unianimate/fields/value.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace unianimate::fields {

namespace {

struct Text {
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  template <typename Number>
  std::string operator()(const Number* value) const {
    return fmt::to_string(*value);
  }
  std::string operator()(const std::string* value) const { return *value; }
  std::string operator()(const std::filesystem::path* value) const { return value->string(); }
  std::string operator()(const SizeValue& value) const { return fmt::format("{}x{}", *value.width, *value.height); }
  std::string operator()(const TextValue* value) const { return value->text(); }
  std::string operator()(const std::vector<std::int64_t>* values) const {
    return fmt::format("{}", fmt::join(*values, ","));
  }
  std::string operator()(const std::vector<std::filesystem::path>* values) const {
    std::vector<std::string> texts;
    for (const std::filesystem::path& path : *values) texts.push_back(path.string());
    return fmt::format("{}", fmt::join(texts, ","));
  }
  std::string operator()(const std::map<std::string, std::string>* values) const {
    std::vector<std::string> texts;
    for (const auto& [name, value] : *values) texts.push_back(fmt::format("{}={}", name, value));
    return fmt::format("{}", fmt::join(texts, ","));
  }
};

/// The whole text as a decimal number.
template <typename Number>
bool read_number(std::string_view text, Number& number) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size();
}

class Read {
 public:
  Read(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  std::optional<std::string> operator()(bool* value) const {
    *value = text_ == "true";
    return expected("true or false", *value || text_ == "false");
  }
  std::optional<std::string> operator()(std::uint64_t* value) const {
    return expected("a whole number from 0 up", read_number(text_, *value));
  }
  template <std::integral Integer>
  std::optional<std::string> operator()(Integer* value) const {
    return expected("a whole number", read_number(text_, *value));
  }
  std::optional<std::string> operator()(double* value) const {
    return expected("a number", read_number(text_, *value) && std::isfinite(*value));
  }
  std::optional<std::string> operator()(std::string* value) const {
    *value = text_;
    return std::nullopt;
  }
  std::optional<std::string> operator()(std::filesystem::path* value) const {
    *value = text_;
    return std::nullopt;
  }
  std::optional<std::string> operator()(const SizeValue& size) const {
    const std::size_t cross = text_.find('x');
    const bool good = cross != std::string_view::npos && read_number(text_.substr(0, cross), *size.width) &&
                      read_number(text_.substr(cross + 1), *size.height);
    return expected("width x height in pixels such as 512x768", good);
  }
  std::optional<std::string> operator()(TextValue* value) const {
    value->read(text_, name_);
    return std::nullopt;
  }
  std::optional<std::string> operator()(std::vector<std::int64_t>* values) const {
    values->clear();
    bool good = true;
    for (std::string_view rest = text_;;) {
      const std::size_t comma = rest.find(',');
      good = good && read_number(rest.substr(0, comma), values->emplace_back());
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
    return expected("whole numbers separated by commas", good);
  }
  /// Lists of paths and maps are no words of a command line.
  template <typename Other>
  std::optional<std::string> operator()(Other* /*value*/) const {
    return "left out";
  }

 private:
  static std::optional<std::string> expected(std::string_view what, bool found) {
    return found ? std::nullopt : std::optional(std::string(what));
  }

  std::string_view text_;
  const std::string& name_;
};

}  // namespace

std::optional<std::string> read_value_text(std::string_view text, const Value& value, const std::string& name) {
  return std::visit(Read(text, name), value);
}

std::string value_text(const Value& value) {
  return std::visit(Text{}, value);
}

std::string one_of(std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 < names.size() ? ", " : " or ";
    text += names[i];
  }
  return text;
}

}  // namespace unianimate::fields
