#include "unianimate/fields/yaml_section.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>

namespace unianimate::fields {

namespace {

constexpr std::size_t kLargestText = 1 << 20;
constexpr std::int64_t kDeepest = 8;
constexpr std::int64_t kMostValues = 100'000;
constexpr std::string_view kEscapeHint =
    "; in \"double quotation marks\" a backslash begins an escape: write paths with '/'";

/// Goes through a document without building anything, and throws where it is not the kind that should be built.
class Limits final : public YAML::EventHandler {
 public:
  explicit Limits(const std::string& name) : name_(name) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { count(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(mark, "it refers to another value by an alias (*name), which is not supported; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {
    count(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    enter(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    enter(mark);
  }
  void OnMapEnd() override { --depth_; }

 private:
  void count(const YAML::Mark& mark) {
    if (++values_ > kMostValues) refuse(mark, fmt::format("it has more than {} values", kMostValues));
  }

  void enter(const YAML::Mark& mark) {
    count(mark);
    if (++depth_ > kDeepest) refuse(mark, fmt::format("it is nested more than {} deep", kDeepest));
  }

  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& reason) const {
    throw Error(ErrorKind::kInput, "{}, line {}: this is not a configuration that can be used: {}", printable(name_),
                mark.line + 1, reason);
  }

  const std::string& name_;
  std::int64_t depth_ = 0;
  std::int64_t values_ = 0;
};

template <typename T>
std::optional<T> scalar(const YAML::Node& value) {
  T result{};
  if (!value.IsScalar() || !YAML::convert<T>::decode(value, result)) return std::nullopt;
  return result;
}

}  // namespace

YAML::Node parse_yaml(std::string_view text, const std::string& name) {
  if (text.size() > kLargestText) {
    throw Error(ErrorKind::kInput, "{}: a configuration is at most 1 MiB long, this has {} bytes", printable(name),
                text.size());
  }
  // The parser would take some for the end of the text, and the system a zero for the end of a path.
  const auto* const control = std::ranges::find_if(
      text, [](unsigned char c) { return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F; });
  if (control != text.end()) {
    throw Error(ErrorKind::kInput, "{}: this is not valid YAML: its byte {} is the control character 0x{:02x}",
                printable(name), control - text.begin(), static_cast<unsigned char>(*control));
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Limits limits(name);
    parser.HandleNextDocument(limits);
    if (parser.HandleNextDocument(limits)) {
      throw Error(ErrorKind::kInput, "{}: it holds more than one YAML document (---); keep one of them",
                  printable(name));
    }
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    throw Error(ErrorKind::kInput, "{}, line {}: this is not valid YAML: {}{}", printable(name), error.mark.line + 1,
                printable(error.msg), error.msg.starts_with(YAML::ErrorMsg::INVALID_ESCAPE) ? kEscapeHint : "");
  }
}

std::string describe(const YAML::Node& value) {
  switch (value.Type()) {
    case YAML::NodeType::Scalar:
      return fmt::format("'{}'", printable(value.Scalar(), 80));
    case YAML::NodeType::Sequence:
      return fmt::format("a list of {}", value.size());
    case YAML::NodeType::Map:
      return "a map";
    default:
      return "nothing";
  }
}

std::optional<std::string> plain_text(const YAML::Node& value) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (!value.IsScalar() || std::ranges::any_of(value.Scalar(), is_control)) return std::nullopt;
  return value.Scalar();
}

std::optional<std::int64_t> plain_integer(const YAML::Node& value) {
  return scalar<std::int64_t>(value);
}

YamlSection::YamlSection(const YAML::Node& node, std::string path, std::shared_ptr<const YamlSource> source)
    : path_(std::move(path)), source_(std::move(source)) {
  if (!node.IsDefined() || node.IsNull()) return;
  if (!node.IsMap()) {
    throw Error(ErrorKind::kUsage, "{}{} must be a map of keys and values, found {}", printable(source_->name),
                path_.empty() ? "" : ": " + path_.substr(0, path_.size() - 1), describe(node));
  }
  for (const auto& pair : node) {
    const std::optional<std::string> key = plain_text(pair.first);
    if (!key) refuse("a key", pair.first, "a word");
    if (!entries_.emplace(*key, Entry{pair.second}).second) {
      throw Error(ErrorKind::kUsage, "{} stands there twice; remove one", where(*key, pair.first));
    }
  }
}

YAML::Node YamlSection::node(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return YAML::Node(YAML::NodeType::Undefined);
  found->second.known = true;
  return found->second.value;
}

YamlSection YamlSection::section(const std::string& key) {
  return {node(key), path_ + key + ".", source_};
}

YamlSection YamlSection::inside(const std::string& key, const YAML::Node& node) const {
  return {node, path_ + key + ".", source_};
}

std::optional<std::int64_t> YamlSection::integer(const std::string& key, std::int64_t lowest, std::int64_t highest) {
  const YAML::Node value = node(key);
  if (!value.IsDefined()) return std::nullopt;
  const auto number = plain_integer(value);
  if (!number || *number < lowest || *number > highest) {
    refuse(key, value, fmt::format("a whole number from {} to {}", lowest, highest));
  }
  return number;
}

std::optional<double> YamlSection::number(const std::string& key, double lowest, double highest) {
  const YAML::Node value = node(key);
  if (!value.IsDefined()) return std::nullopt;
  const auto number = scalar<double>(value);
  if (!number || !(*number >= lowest && *number <= highest)) {
    refuse(key, value, fmt::format("a number from {} to {}", lowest, highest));
  }
  return number;
}

std::optional<std::string> YamlSection::text(const std::string& key) {
  const YAML::Node value = node(key);
  if (!value.IsDefined()) return std::nullopt;
  auto text = plain_text(value);
  if (!text || text->empty()) refuse(key, value, "a text");
  return text;
}

std::optional<std::vector<std::int64_t>> YamlSection::integers(const std::string& key) {
  const YAML::Node value = node(key);
  if (!value.IsDefined()) return std::nullopt;
  std::vector<std::int64_t> numbers;
  const auto add = [&](const YAML::Node& element) {
    const auto number = plain_integer(element);
    if (!number) refuse(key, element, "a whole number or a list of them");
    numbers.push_back(*number);
  };
  if (value.IsSequence()) {
    for (const YAML::Node& element : value) add(element);
  } else {
    add(value);
  }
  return numbers;
}

std::optional<std::vector<YAML::Node>> YamlSection::list(const std::string& key, std::string_view expected) {
  const YAML::Node value = node(key);
  if (!value.IsDefined()) return std::nullopt;
  if (!value.IsSequence()) refuse(key, value, expected);
  return std::vector<YAML::Node>(value.begin(), value.end());
}

void YamlSection::require(const std::string& key, const char* expected) {
  const YAML::Node value = node(key);
  if (value.IsDefined() && plain_text(value) != expected) {
    refuse(key, value, fmt::format("'{}', the only one this program implements", expected));
  }
}

void YamlSection::require(const std::string& key, bool expected) {
  const YAML::Node value = node(key);
  if (value.IsDefined() && scalar<bool>(value) != expected) {
    refuse(key, value, fmt::format("{}, the only value this program implements", expected ? "True" : "False"));
  }
}

void YamlSection::require(const std::string& key, double expected) {
  const YAML::Node value = node(key);
  if (value.IsDefined() && scalar<double>(value) != expected) {
    refuse(key, value, fmt::format("{}, the only value this program implements", expected));
  }
}

void YamlSection::accept(std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (!node(key).IsDefined()) continue;
    if (source_->overridden.contains(path_ + key)) without_effect_.push_back(path_ + key);
  }
}

std::string YamlSection::where(const std::string& key, const YAML::Node& value) const {
  const std::string path = printable(path_ + key);
  const auto is_inside = [&](const std::string& overridden) { return (path + '.').starts_with(overridden + '.'); };
  if (std::ranges::any_of(source_->overridden, is_inside)) return fmt::format("--set {}", path);
  return fmt::format("{}, line {}: {}", printable(source_->name), value.Mark().line + 1, path);
}

void YamlSection::refuse(const std::string& key, const YAML::Node& value, std::string_view expected) const {
  // Such as "C:\new", whose second word an escape has eaten.
  const bool has_escapes = value.IsScalar() && !plain_text(value);
  throw Error(ErrorKind::kUsage, "{} must be {}, found {}{}", where(key, value), expected, describe(value),
              has_escapes ? kEscapeHint : "");
}

std::vector<YamlSection::UnknownKey> YamlSection::unknown() const {
  std::vector<UnknownKey> keys;
  for (const auto& [key, entry] : entries_) {
    if (!entry.known) keys.push_back({path_ + key, where(key, entry.value)});
  }
  return keys;
}

}  // namespace unianimate::fields
