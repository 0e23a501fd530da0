#include "unianimate/fields/json_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/fields/range_check.h"

namespace unianimate::fields {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

/// Puts one JSON value into one member.
class ValueReader {
 public:
  ValueReader(const json& given, std::string where) : given_(given), where_(std::move(where)) {}

  void operator()(bool* value) const {
    if (!given_.is_boolean()) refuse("true or false");
    *value = given_.get<bool>();
  }
  template <std::integral T>
  void operator()(T* value) const {
    // A number beyond 64 bits is no integer to the parser.
    const bool fits = given_.is_number_unsigned()
                          ? std::in_range<T>(given_.get<std::uint64_t>())
                          : given_.is_number_integer() && std::in_range<T>(given_.get<std::int64_t>());
    if (!fits) refuse("a whole number in range");
    *value = given_.get<T>();
  }
  void operator()(double* value) const {
    if (!given_.is_number()) refuse("a number");
    *value = given_.get<double>();
  }
  void operator()(std::string* value) const { *value = text("a text"); }
  void operator()(std::filesystem::path* value) const { *value = text("a path"); }
  void operator()(const SizeValue& size) const {
    constexpr const char* kExpected = "a size such as \"512x768\"";
    if (read_value_text(text(kExpected), size, where_)) refuse(kExpected);
  }
  void operator()(TextValue* value) const {
    const std::vector<std::string_view> words = value->words();
    const std::string given = text(words.empty() ? "a text" : one_of(words));
    try {
      value->read(given, where_);
    } catch (const Error& error) {
      if (!words.empty()) throw Error(ErrorKind::kInput, error.what());
      throw Error(ErrorKind::kInput, "{}: {}", where_, error.what());
    }
  }
  void operator()(std::vector<std::int64_t>* values) const {
    constexpr const char* kExpected = "a list of whole numbers";
    if (!given_.is_array()) refuse(kExpected);
    std::vector<std::int64_t> numbers;
    for (const json& element : given_) {
      if (!element.is_number_integer()) refuse(kExpected);
      ValueReader(element, element_name(numbers.size()))(&numbers.emplace_back());
    }
    *values = std::move(numbers);
  }
  void operator()(std::vector<std::filesystem::path>* values) const {
    if (!given_.is_array()) refuse("a list of paths");
    std::vector<std::filesystem::path> paths;
    for (const json& element : given_) ValueReader(element, element_name(paths.size()))(&paths.emplace_back());
    *values = std::move(paths);
  }
  void operator()(std::map<std::string, std::string>* values) const {
    if (!given_.is_object()) refuse("an object {...}");
    values->clear();
    for (const auto& [key, element] : given_.items()) {
      ValueReader(element, fmt::format("{}[{}]", where_, printable(key)))(&(*values)[key]);
    }
  }

 private:
  [[nodiscard]] std::string element_name(std::size_t index) const { return fmt::format("{}[{}]", where_, index); }

  [[nodiscard]] std::string text(std::string_view expected) const {
    if (!given_.is_string()) refuse(expected);
    auto text = given_.get<std::string>();
    if (text.find('\0') != std::string::npos) refuse(fmt::format("{} without a zero byte", expected));
    return text;
  }

  [[noreturn]] void refuse(std::string_view expected) const {
    throw Error(ErrorKind::kInput, "{} must be {}, found {}", where_, expected,
                printable(given_.dump(-1, ' ', true, json::error_handler_t::replace)));
  }

  const json& given_;
  std::string where_;
};

struct ValueWriter {
  template <typename T>
  ordered_json operator()(const T* value) const {
    return *value;
  }
  ordered_json operator()(const std::filesystem::path* value) const { return value->string(); }
  ordered_json operator()(const SizeValue& size) const { return value_text(size); }
  ordered_json operator()(const TextValue* value) const { return value->text(); }
  ordered_json operator()(const std::vector<std::filesystem::path>* values) const {
    ordered_json paths = ordered_json::array();
    for (const std::filesystem::path& path : *values) paths.push_back(path.string());
    return paths;
  }
};

}  // namespace

JsonReader::JsonReader(const json& object, JsonPlace place, Missing missing, Filter filter)
    : name_(std::move(place.file)), missing_(missing), filter_(std::move(filter)) {
  open(object, std::move(place.path));
}

void JsonReader::pass_over(std::string key) {
  open_.back().known.push_back(std::move(key));
}

void JsonReader::finish() const {
  refuse_unknown(open_.back());
}

std::string JsonReader::path_of(std::string_view key) const {
  const std::string& path = open_.back().path;
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string JsonReader::where(const std::string& path) const {
  if (path.empty()) return name_.empty() ? "it" : name_;
  return name_.empty() ? path : fmt::format("{}: {}", name_, path);
}

void JsonReader::open(const json& object, std::string path) {
  if (!object.is_object()) throw Error(ErrorKind::kInput, "{} must be an object {{...}}", where(path));
  open_.push_back({&object, std::move(path), {}});
}

void JsonReader::refuse_unknown(const Open& open) const {
  for (const auto& [key, value] : open.json->items()) {
    if (std::ranges::count(open.known, key) > 0) continue;
    throw Error(ErrorKind::kUsage, "{} has an unknown key '{}'; known are {}", where(open.path), printable(key),
                fmt::join(open.known, ", "));
  }
}

const json* JsonReader::find(const char* key, const Field& field, bool may_be_missing) {
  Open& open = open_.back();
  open.known.emplace_back(key);
  if (const auto found = open.json->find(key); found != open.json->end()) return &*found;
  if (field.former_name != nullptr && open.json->contains(field.former_name)) {
    open.known.emplace_back(field.former_name);
    return &open.json->at(field.former_name);
  }
  if (missing_ == Missing::kLeft || may_be_missing || field.before != nullptr) return nullptr;
  throw Error(ErrorKind::kInput, "{} lacks {}", where(open.path), key);
}

void JsonReader::take(const Field& field, const Value& value, bool* present) {
  if (!filter_(field)) return;
  if (const auto* const size = std::get_if<SizeValue>(&value); size != nullptr && field.width != nullptr) {
    for (const auto& [name, side] : {std::pair(field.width, size->width), std::pair(field.height, size->height)}) {
      const json* const given = find(name, field, false);
      if (given == nullptr) continue;
      ValueReader(*given, where(path_of(name)))(side);
      check_range(field, side, where(path_of(name)), ErrorKind::kInput);
    }
    return;
  }
  const std::string name = where(path_of(field.name));
  const json* const given = find(field.name, field, present != nullptr);
  if (given == nullptr && missing_ == Missing::kRefused && field.before != nullptr) {
    read_value_text(field.before, value, name);
    if (present != nullptr) *present = true;
    return;
  }
  if (present != nullptr) {
    if (given == nullptr && missing_ == Missing::kLeft) return;
    *present = given != nullptr && !given->is_null();
    if (!*present) return;
  }
  if (given == nullptr) return;
  std::visit(ValueReader(*given, name), value);
  check_range(field, value, name, ErrorKind::kInput);
}

bool JsonReader::enter(const Field& field, bool* present) {
  if (!filter_(field)) return false;
  const json* const given = find(field.name, field, present != nullptr);
  if (present != nullptr && !(given == nullptr && missing_ == Missing::kLeft)) {
    *present = given != nullptr && !given->is_null();
  }
  if (given == nullptr || (present != nullptr && !*present)) return false;
  open(*given, path_of(field.name));
  return true;
}

void JsonReader::leave() {
  refuse_unknown(open_.back());
  open_.pop_back();
}

std::optional<std::size_t> JsonReader::begin_list(const Field& field, std::size_t size) {
  if (!filter_(field)) return std::nullopt;
  static const json kEmpty = json::array();
  const json* const given = find(field.name, field, false);
  const std::string path = path_of(field.name);
  if (given != nullptr && !given->is_array()) throw Error(ErrorKind::kInput, "{} must be a list [...]", where(path));
  open_.push_back({given != nullptr ? given : &kEmpty, path, {}});
  return given != nullptr ? given->size() : size;
}

void JsonReader::enter_item(std::size_t index) {
  // What was in the struct before and is not in the file has nothing to be read from.
  static const json kNothing = json::object();
  const Open& list = open_.back();
  const json& item = index < list.json->size() ? (*list.json)[index] : kNothing;
  open(item, fmt::format("{}[{}]", list.path, index));
}

void JsonReader::end_list() {
  open_.pop_back();
}

void JsonWriter::take(const Field& field, const Value& value, bool* present) {
  if (!filter_(field)) return;
  if (present != nullptr && !*present) {
    open()[field.name] = nullptr;
    return;
  }
  if (const auto* const size = std::get_if<SizeValue>(&value); size != nullptr && field.width != nullptr) {
    open()[field.width] = *size->width;
    open()[field.height] = *size->height;
    return;
  }
  open()[field.name] = std::visit(ValueWriter{}, value);
}

bool JsonWriter::enter(const Field& field, bool* present) {
  if (!filter_(field)) return false;
  if (present != nullptr && !*present) {
    open()[field.name] = nullptr;
    return false;
  }
  open_.push_back({field.name, ordered_json::object()});
  return true;
}

void JsonWriter::leave() {
  Open done = std::move(open_.back());
  open_.pop_back();
  if (done.key.empty()) {
    open().push_back(std::move(done.value));
  } else {
    open()[done.key] = std::move(done.value);
  }
}

std::optional<std::size_t> JsonWriter::begin_list(const Field& field, std::size_t size) {
  if (!filter_(field)) return std::nullopt;
  open_.push_back({field.name, ordered_json::array()});
  return size;
}

void JsonWriter::enter_item(std::size_t /*index*/) {
  open_.push_back({"", ordered_json::object()});
}

void JsonWriter::end_list() {
  leave();
}

}  // namespace unianimate::fields
