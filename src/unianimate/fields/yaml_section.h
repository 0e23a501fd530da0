// YAML from untrusted files, read key by key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate::fields {

/// One YAML document. `name` stands for the file in errors. Throws Error(kInput) for broken YAML, for text over 1 MiB,
/// for nesting or a number of values no configuration needs, and for aliases, whose expansion has no bounds.
YAML::Node parse_yaml(std::string_view text, const std::string& name);

/// What the errors about a document's values have in common.
struct YamlSource {
  std::string name;                  ///< of the file
  std::set<std::string> overridden;  ///< paths ("UNet.dim") whose values were not given by the file
};

/// A map of the document. Keys are asked for by name; those nobody asked for are the unknown ones. Errors are
/// Error(kUsage) and name file, line, key, what was expected and what was found.
class YamlSection {
 public:
  /// `path` is what stands before the keys' names ("UNet."), empty for the document itself. Throws where `node` is
  /// neither a map nor nothing, and for a key that is no text or stands there twice.
  YamlSection(const YAML::Node& node, std::string path, std::shared_ptr<const YamlSource> source);

  /// The value of `key`; an undefined node where it is absent.
  YAML::Node node(const std::string& key);
  /// A map inside this one; empty where it is absent.
  YamlSection section(const std::string& key);
  /// A map that stands in the list `key`.
  [[nodiscard]] YamlSection inside(const std::string& key, const YAML::Node& node) const;

  /// Nothing where the key is absent. Throw for a value of another type or out of range.
  std::optional<std::int64_t> integer(const std::string& key, std::int64_t lowest, std::int64_t highest);
  std::optional<double> number(const std::string& key, double lowest, double highest);
  std::optional<std::string> text(const std::string& key);
  /// Whole numbers: a list, or one alone.
  std::optional<std::vector<std::int64_t>> integers(const std::string& key);
  /// The elements of a list.
  std::optional<std::vector<YAML::Node>> list(const std::string& key, std::string_view expected);

  /// Throws where the key is present with a value other than the only one this program implements.
  void require(const std::string& key, const char* expected);
  void require(const std::string& key, bool expected);
  void require(const std::string& key, double expected);
  void require(const std::string& key, int expected) { require(key, static_cast<double>(expected)); }
  /// Keys that have no effect here.
  void accept(std::initializer_list<const char*> keys);
  /// Paths of those among them that were not given by the file, so that somebody expects something of them.
  [[nodiscard]] const std::vector<std::string>& without_effect() const { return without_effect_; }

  /// Where a value stands: "file, line 3: UNet.dim".
  [[nodiscard]] std::string where(const std::string& key, const YAML::Node& value) const;
  /// Throws: `value` of `key` is not `expected`.
  [[noreturn]] void refuse(const std::string& key, const YAML::Node& value, std::string_view expected) const;

  struct UnknownKey {
    std::string path;
    std::string where;
  };
  /// Keys nobody asked for, in alphabetical order.
  [[nodiscard]] std::vector<UnknownKey> unknown() const;

 private:
  struct Entry {
    YAML::Node value;
    bool known = false;
  };

  std::string path_;
  std::shared_ptr<const YamlSource> source_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> without_effect_;
};

/// The value as text that can be printed.
std::string describe(const YAML::Node& value);

/// A scalar as text without control characters, or nothing.
std::optional<std::string> plain_text(const YAML::Node& value);
std::optional<std::int64_t> plain_integer(const YAML::Node& value);

}  // namespace unianimate::fields
