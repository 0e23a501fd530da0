#include "unianimate/pose/format/json_reading.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <istream>

#include "unianimate/core/memory.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/pose/format/python_json.h"

namespace unianimate::pose {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 30;
constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxValues = 2'000'000;
constexpr std::string_view kFrames = "frames";

/// Builds the document as a tree, but hands over and drops each frame as soon as it is complete.
class DocumentHandler final : public nlohmann::json_sax<json> {
 public:
  DocumentHandler(const std::string& name, const PythonJson& source, const FrameHandler& on_frame)
      : name_(name), source_(source), on_frame_(on_frame) {}

  [[nodiscard]] JsonDocument take() { return {layout_, std::move(root_), name_}; }

  /// In the place of a frame of a list, null is a frame without people.
  bool null() override {
    if (!at_frame() || layout_ != FrameLayout::kList) return leaf(nullptr);
    count_value();
    hand_over({{"people", json::array()}});
    return true;
  }
  bool boolean(bool value) override { return leaf(value); }
  bool number_integer(std::int64_t value) override { return leaf(value); }
  bool number_unsigned(std::uint64_t value) override { return leaf(value); }
  bool number_float(double value, const std::string&) override { return leaf(value); }
  bool string(std::string& value) override { return leaf(std::move(value)); }
  bool binary(json::binary_t&) override { return false; }

  bool start_object(std::size_t) override {
    open(json::object());
    return true;
  }

  bool start_array(std::size_t) override {
    if (at_frame()) throw no_object();
    const bool is_document = open_.empty();
    const bool is_member = open_.size() == 1 && open_.back()->is_object() && key_ == kFrames;
    if (is_member && layout_ == FrameLayout::kMember) {
      throw Error(ErrorKind::kInput, "{} has two lists of frames; the file is damaged", name_);
    }
    open(json::array());
    if (is_document || is_member) {
      layout_ = is_document ? FrameLayout::kList : FrameLayout::kMember;
      frames_ = open_.back();
    }
    return true;
  }

  bool key(std::string& value) override {
    count_value();
    key_ = std::move(value);
    return true;
  }

  bool end_object() override {
    const json* closed = open_.back();
    open_.pop_back();
    if (!at_frame()) return true;
    hand_over(*closed);
    frames_->clear();
    values_ = values_outside_;
    return true;
  }

  bool end_array() override {
    if (open_.back() == frames_) frames_ = nullptr;
    open_.pop_back();
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    throw Error(ErrorKind::kInput, "{} is no valid JSON at its byte {}; the file is damaged or cut short", name_,
                source_.source_position(position));
  }

 private:
  void hand_over(const json& frame) {
    on_frame_(layout_, JsonField(frame, fmt::format("{}, frame {}", name_, frame_count_)), JsonField(root_, name_));
    ++frame_count_;
  }

  /// Whether what begins now, or has just ended, is an element of the list of frames.
  [[nodiscard]] bool at_frame() const { return frames_ != nullptr && open_.back() == frames_; }

  [[nodiscard]] Error no_object() const {
    return {ErrorKind::kInput, "{}, frame {}: expected an object; this is no file of poses", name_, frame_count_};
  }

  void count_value() {
    if (++values_ > kMaxValues) {
      throw Error(ErrorKind::kInput, "{}, frame {}: more than {} values; the file is damaged or hostile", name_,
                  frame_count_, kMaxValues);
    }
  }

  json* put(json value) {
    count_value();
    if (open_.empty()) {
      if (!value.is_structured()) {
        throw Error(ErrorKind::kInput, "{} holds a single value; this is no file of poses", name_);
      }
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }

  bool leaf(json value) {
    if (at_frame()) throw no_object();
    put(std::move(value));
    return true;
  }

  void open(json empty) {
    if (open_.size() == kMaxDepth) {
      throw Error(ErrorKind::kInput, "{}, frame {}: values nested deeper than {}; the file is damaged or hostile",
                  name_, frame_count_, kMaxDepth);
    }
    if (at_frame()) values_outside_ = values_;
    open_.push_back(put(std::move(empty)));
  }

  const std::string& name_;
  const PythonJson& source_;
  const FrameHandler& on_frame_;
  FrameLayout layout_ = FrameLayout::kNone;
  json root_;
  std::vector<json*> open_;  // from the root to the innermost list or object; each is its parent's newest element
  json* frames_ = nullptr;   // the list of frames while it is open
  std::string key_;
  std::size_t frame_count_ = 0;
  std::size_t values_ = 0;          // kept now
  std::size_t values_outside_ = 0;  // of them, before the frame that is open
};

JsonDocument read_from(std::streambuf& source, const std::string& name, const FrameHandler& handler) {
  PythonJson filter(source);
  DocumentHandler document(name, filter, handler);
  std::istream stream(&filter);
  json::sax_parse(stream, &document);
  return document.take();
}

/// Reads a text where it lies.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast): never written to
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

JsonField JsonField::at(std::string_view key) const {
  std::optional<JsonField> field = find(key);
  if (!field) throw refusal("\"{}\" is missing", key);
  return *std::move(field);
}

std::optional<JsonField> JsonField::find(std::string_view key) const {
  if (!value_->is_object()) throw unexpected("an object");
  const auto member = value_->find(key);
  if (member == value_->end() || member->is_null()) return std::nullopt;
  return JsonField(*member, fmt::format("{}, {}", place_, key));
}

JsonField JsonField::element(std::size_t index, std::string place) const {
  return {value_->at(index), std::move(place)};
}

std::size_t JsonField::size() const {
  if (!value_->is_array()) throw unexpected("a list");
  return value_->size();
}

double JsonField::number(double min, double max) const {
  const double number = value_->is_number() ? value_->get<double>() : NAN;
  if (!(number >= min && number <= max)) throw unexpected(fmt::format("a number from {} to {}", min, max));
  return number;
}

std::int64_t JsonField::integer(std::int64_t min, std::int64_t max) const {
  const bool too_large = value_->is_number_unsigned() && value_->get<std::uint64_t>() > INT64_MAX;
  const bool whole = value_->is_number_integer() && !too_large;
  const std::int64_t number = whole ? value_->get<std::int64_t>() : 0;
  if (!whole || number < min || number > max) throw unexpected(fmt::format("a whole number from {} to {}", min, max));
  return number;
}

bool JsonField::truth() const {
  if (!value_->is_boolean()) throw unexpected("true or false");
  return value_->get<bool>();
}

const std::string& JsonField::text() const {
  if (!value_->is_string()) throw unexpected("text");
  return value_->get_ref<const std::string&>();
}

std::vector<double> JsonField::numbers(double limit) const {
  std::vector<double> numbers(size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const json& value = (*value_)[i];
    numbers[i] = value.is_number() ? value.get<double>() : NAN;
    if (!(std::abs(numbers[i]) <= limit) && !value.is_null()) {
      throw element(i, fmt::format("{}, number {}", place_, i))
          .unexpected(fmt::format("a number from {} to {}", -limit, limit));
    }
  }
  return numbers;
}

Error JsonField::refusal_with(std::string_view reason) const {
  constexpr std::size_t kPlaceBytes = 1000;
  return {ErrorKind::kInput, "{}: {}", printable(place_, kPlaceBytes), reason};
}

Error JsonField::unexpected(std::string_view expected) const {
  constexpr std::size_t kFoundBytes = 40;
  const std::string found = value_->is_structured() ? std::string(value_->is_array() ? "a list" : "an object")
                                                    : printable(value_->dump(), kFoundBytes);
  return refusal("expected {}, found {}", expected, found);
}

JsonDocument read_json(std::string_view text, const std::string& name, const FrameHandler& handler) {
  TextBuffer source(text);
  return read_from(source, name, handler);
}

JsonDocument read_json(const fs::path& path, const FrameHandler& handler) {
  const std::string name = printable(path.string());
  std::error_code problem;
  if (!fs::is_regular_file(path, problem))
    throw Error(ErrorKind::kInput, "there is no file {}{}", name, path_hint(path));
  const std::uintmax_t bytes = fs::file_size(path, problem);
  if (!problem && bytes > kMaxFileBytes) {
    throw Error(ErrorKind::kInput, "{} has {} and a file of poses may have {} at most", name,
                format_bytes(static_cast<std::int64_t>(bytes)), format_bytes(kMaxFileBytes));
  }
  std::filebuf file;
  if (problem || file.open(path, std::ios::in | std::ios::binary) == nullptr) {
    throw Error(ErrorKind::kEnvironment, "{} cannot be read: {}", name, std::strerror(errno));
  }
  return read_from(file, name, handler);
}

}  // namespace unianimate::pose
