// Structs of settings from YAML that people write: what is left out keeps the struct's value.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/fields/archive.h"
#include "unianimate/fields/yaml_section.h"

namespace unianimate::fields {

class YamlReader final : public Archive {
 public:
  /// Relative paths begin at `root`. Only what the filter lets through is read.
  YamlReader(const YamlSection& document, std::filesystem::path root, Filter filter = all_fields())
      : root_(std::move(root)), filter_(std::move(filter)), open_{{document, {}, {}}} {}

  /// To be called after the visit: throws for keys that name no field.
  void finish() const { refuse_unknown(open_.back()); }

 private:
  struct Open {
    YamlSection section;
    std::vector<YAML::Node> items;  ///< of the list that is open in it
    std::vector<std::string> known;
  };

  void take(const Field& field, const Value& value, bool* present) override;
  bool enter(const Field& field, bool* present) override;
  void leave() override;
  std::optional<std::size_t> begin_list(const Field& field, std::size_t size) override;
  void enter_item(std::size_t index) override;
  void end_list() override {}

  static void refuse_unknown(const Open& open);

  std::filesystem::path root_;
  Filter filter_;
  std::vector<Open> open_;
  std::string list_;  ///< the key of the list that is open
};

/// Throws Error(kUsage) that names file, line, key, what was expected and what was found.
template <Listed T>
void read_yaml(const YamlSection& document, const std::filesystem::path& root, T& settings) {
  YamlReader reader(document, root);
  visit(reader, settings);
  reader.finish();
}

}  // namespace unianimate::fields
