// Inside pose: JSON from strangers, read frame by frame within limits, with messages that name the place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate::pose {

/// A value of a document, and where it stands: "dance.json, frame 12, person 0". The value must outlive it. Every
/// function throws Error(kInput) that begins with the place where the value is not what is asked for.
class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string place) : value_(&value), place_(std::move(place)) {}

  [[nodiscard]] const nlohmann::json& value() const { return *value_; }
  [[nodiscard]] const std::string& place() const { return place_; }

  /// A member of an object; the second says nothing where it is missing or null.
  [[nodiscard]] JsonField at(std::string_view key) const;
  [[nodiscard]] std::optional<JsonField> find(std::string_view key) const;
  /// An element of a list, and what to call its place.
  [[nodiscard]] JsonField element(std::size_t index, std::string place) const;
  /// How many elements the list has.
  [[nodiscard]] std::size_t size() const;

  [[nodiscard]] double number(double min, double max) const;
  [[nodiscard]] std::int64_t integer(std::int64_t min, std::int64_t max) const;
  [[nodiscard]] bool truth() const;
  [[nodiscard]] const std::string& text() const;
  /// A list of numbers from -`limit` to `limit`; NaN for null, which stands for what is not known or not finite.
  [[nodiscard]] std::vector<double> numbers(double limit) const;

  template <typename... Args>
  [[nodiscard]] Error refusal(fmt::format_string<Args...> format, Args&&... args) const {
    return refusal_with(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  [[nodiscard]] Error refusal_with(std::string_view reason) const;
  [[nodiscard]] Error unexpected(std::string_view expected) const;

  const nlohmann::json* value_;
  std::string place_;
};

/// Where a document keeps its frames.
enum class FrameLayout {
  kMember,  ///< in the list "frames" of the object that the document is
  kList,    ///< the document is the list
  kNone,    ///< the document is an object without frames
};

struct JsonDocument {
  FrameLayout layout = FrameLayout::kNone;
  nlohmann::json rest;  ///< the document without its frames
  std::string name;

  [[nodiscard]] JsonField root() const { return {rest, name}; }
};

/// Is handed the frames one by one (each valid for the call only), and the document as far as it has been read.
using FrameHandler = std::function<void(FrameLayout layout, const JsonField& frame, const JsonField& document)>;

/// Reads a document while keeping no more of it than one frame and what stands beside the frames. Numbers as Python
/// writes them where they are not finite become null; null in the place of a list's frame is one without people. Throws
/// Error(kInput) beginning with `name` for text that is no JSON, for values nested deeper than 16 and for more than 2
/// million values in one frame or beside the frames; and what `handler` throws.
JsonDocument read_json(std::string_view text, const std::string& name, const FrameHandler& handler);

/// The same for a file, whose path stands for the name. Throws Error(kInput), too, for what is no file or has more than
/// 1 GiB, Error(kEnvironment) where it cannot be read.
JsonDocument read_json(const std::filesystem::path& path, const FrameHandler& handler);

}  // namespace unianimate::pose
