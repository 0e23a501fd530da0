#include "unianimate/fields/yaml_archive.h"

#include <algorithm>
#include <variant>

#include "unianimate/fields/range_check.h"

namespace unianimate::fields {

namespace {

/// Puts the value of one key into one member.
class ValueReader {
 public:
  ValueReader(const YamlSection& section, const std::string& key, const YAML::Node& node,
              const std::filesystem::path& root)
      : section_(section), key_(key), node_(node), root_(root) {}

  void operator()(std::filesystem::path* value) const { *value = path(node_, "a file or folder"); }
  void operator()(const SizeValue& size) const {
    constexpr const char* kExpected = "[width, height] in pixels";
    const std::vector<std::int64_t> sides = integers(kExpected);
    if (sides.size() != 2 || !std::in_range<int>(sides.front()) || !std::in_range<int>(sides.back())) {
      section_.refuse(key_, node_, kExpected);
    }
    *size.width = static_cast<int>(sides.front());
    *size.height = static_cast<int>(sides.back());
  }
  void operator()(std::vector<std::int64_t>* values) const { *values = integers("a list of whole numbers"); }
  void operator()(std::vector<std::filesystem::path>* values) const {
    constexpr const char* kExpected = "a list of files or folders";
    if (!node_.IsSequence()) section_.refuse(key_, node_, kExpected);
    values->clear();
    for (const YAML::Node& node : node_) values->push_back(path(node, kExpected));
  }
  void operator()(TextValue* value) const {
    const auto text = plain_text(node_);
    if (!text || text->empty()) section_.refuse(key_, node_, "a text");
    const std::string where = section_.where(key_, node_);
    try {
      value->read(*text, where);
    } catch (const Error& error) {
      if (!value->words().empty()) throw;
      throw Error(error.kind(), "{}: {}", where, error.what());
    }
  }
  void operator()(std::map<std::string, std::string>* /*values*/) const { section_.refuse(key_, node_, "left out"); }
  template <typename Other>
  void operator()(Other* value) const {
    const auto text = plain_text(node_);
    if (!text || text->empty()) section_.refuse(key_, node_, "a text");
    if (const auto expected = read_value_text(*text, value, section_.where(key_, node_))) {
      section_.refuse(key_, node_, *expected);
    }
  }

 private:
  [[nodiscard]] std::filesystem::path path(const YAML::Node& node, const char* expected) const {
    const auto text = plain_text(node);
    if (!text || text->empty()) section_.refuse(key_, node, expected);
    return root_ / *text;
  }
  [[nodiscard]] std::vector<std::int64_t> integers(const char* expected) const {
    if (!node_.IsSequence()) section_.refuse(key_, node_, expected);
    std::vector<std::int64_t> numbers;
    for (const YAML::Node& node : node_) {
      const auto number = plain_integer(node);
      if (!number) section_.refuse(key_, node, expected);
      numbers.push_back(*number);
    }
    return numbers;
  }

  const YamlSection& section_;
  const std::string& key_;
  const YAML::Node& node_;
  const std::filesystem::path& root_;
};

}  // namespace

void YamlReader::take(const Field& field, const Value& value, bool* present) {
  if (!filter_(field)) return;
  Open& open = open_.back();
  open.known.emplace_back(field.name);
  const YAML::Node node = open.section.node(field.name);
  if (!node.IsDefined()) return;
  const std::string key = field.name;
  std::visit(ValueReader(open.section, key, node, root_), value);
  check_range(field, value, open.section.where(key, node));
  if (present != nullptr) *present = true;
}

bool YamlReader::enter(const Field& field, bool* present) {
  if (!filter_(field)) return false;
  Open& open = open_.back();
  open.known.emplace_back(field.name);
  if (present != nullptr) *present = *present || open.section.node(field.name).IsDefined();
  if (present != nullptr && !*present) return false;
  open_.push_back({open.section.section(field.name), {}, {}});
  return true;
}

void YamlReader::leave() {
  refuse_unknown(open_.back());
  open_.pop_back();
}

std::optional<std::size_t> YamlReader::begin_list(const Field& field, std::size_t size) {
  if (!filter_(field)) return std::nullopt;
  Open& open = open_.back();
  open.known.emplace_back(field.name);
  open.items.clear();
  list_ = field.name;
  const auto given = open.section.list(field.name, "a list of maps {...}");
  if (given) open.items = *given;
  return given ? given->size() : size;
}

void YamlReader::enter_item(std::size_t index) {
  const Open& open = open_.back();
  const YAML::Node node = index < open.items.size() ? open.items[index] : YAML::Node(YAML::NodeType::Undefined);
  YamlSection item = open.section.inside(list_, node);
  open_.push_back({std::move(item), {}, {}});
}

void YamlReader::refuse_unknown(const Open& open) {
  const auto unknown = open.section.unknown();
  if (unknown.empty()) return;
  throw Error(ErrorKind::kUsage, "{} is no setting; those there are here: {}", unknown.front().where,
              fmt::join(open.known, ", "));
}

}  // namespace unianimate::fields
