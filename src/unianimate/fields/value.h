// A member of a struct of settings as the archives see it, whatever its type.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "unianimate/fields/words.h"

namespace unianimate::fields {

/// How a type that is neither number nor flag nor path is written; specialised beside the type with
/// `static std::string text(const T&)` and `static T parse(std::string_view)`, which throws Error(kUsage).
template <typename T>
struct TextForm;

template <typename T>
concept HasTextForm = requires(const T& value, std::string_view text) {
  { TextForm<T>::text(value) } -> std::same_as<std::string>;
  { TextForm<T>::parse(text) } -> std::same_as<T>;
};

/// A value that is written as text.
class TextValue {
 public:
  virtual ~TextValue() = default;
  [[nodiscard]] virtual std::string text() const = 0;
  /// Throws Error(kUsage); `name` is that of the field.
  virtual void read(std::string_view text, const std::string& name) = 0;
  /// All there are, where they are words.
  [[nodiscard]] virtual std::vector<std::string_view> words() const { return {}; }

 protected:
  TextValue() = default;
  TextValue(const TextValue&) = default;
  TextValue& operator=(const TextValue&) = default;
};

template <HasWords Enum>
class WordValue final : public TextValue {
 public:
  explicit WordValue(Enum& value) : value_(value) {}
  [[nodiscard]] std::string text() const override { return std::string(word(value_)); }
  void read(std::string_view text, const std::string& name) override { value_ = parse_word<Enum>(name, text); }
  [[nodiscard]] std::vector<std::string_view> words() const override { return word_list<Enum>(); }

 private:
  Enum& value_;
};

template <HasTextForm T>
class FormedValue final : public TextValue {
 public:
  explicit FormedValue(T& value) : value_(value) {}
  [[nodiscard]] std::string text() const override { return TextForm<T>::text(value_); }
  void read(std::string_view text, const std::string& /*name*/) override { value_ = TextForm<T>::parse(text); }

 private:
  T& value_;
};

/// Several that are each written as text, such as the files of an option that may be given more than once.
class TextList {
 public:
  virtual ~TextList() = default;
  [[nodiscard]] virtual std::vector<std::string> texts() const = 0;
  /// Throws as TextForm::parse() does.
  virtual void read(const std::vector<std::string>& texts) = 0;

 protected:
  TextList() = default;
  TextList(const TextList&) = default;
  TextList& operator=(const TextList&) = default;
};

template <HasTextForm T>
class FormedList final : public TextList {
 public:
  explicit FormedList(std::vector<T>& values) : values_(values) {}
  [[nodiscard]] std::vector<std::string> texts() const override {
    std::vector<std::string> texts;
    texts.reserve(values_.size());
    for (const T& value : values_) texts.push_back(TextForm<T>::text(value));
    return texts;
  }
  void read(const std::vector<std::string>& texts) override {
    values_.clear();
    for (const std::string& text : texts) values_.push_back(TextForm<T>::parse(text));
  }

 private:
  std::vector<T>& values_;
};

/// Two sides in pixels, which people write as one.
struct SizeValue {
  int* width;
  int* height;
};

using Value = std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*, std::filesystem::path*,
                           SizeValue, TextValue*, std::vector<std::int64_t>*, std::vector<std::filesystem::path>*,
                           std::map<std::string, std::string>*>;

/// As it stands in tables and in comparisons, exact: "30", "true", "512x768", "moving".
std::string value_text(const Value& value);

/// Puts what somebody has written into the member. Returns nothing, or what the text should have been ("a whole
/// number") where it is none such; the member may then have changed. `name` of the field is for messages about words
/// and forms, which are thrown as Error(kUsage). Ranges are not looked at.
std::optional<std::string> read_value_text(std::string_view text, const Value& value, const std::string& name);

}  // namespace unianimate::fields
