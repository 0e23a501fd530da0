// Where an archive is: "request.chain.segment_size".
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "unianimate/fields/field.h"

namespace unianimate::fields {

class FieldPath {
 public:
  explicit FieldPath(std::string prefix = {}) : begins_{std::move(prefix)} {}

  void enter(const Field& field) { begins_.push_back(of(field.name) + "."); }
  void enter_list(const Field& field) { begins_.push_back(of(field.name)); }
  void enter_item(std::size_t index) { begins_.push_back(fmt::format("{}[{}].", begins_.back(), index)); }
  void leave() { begins_.pop_back(); }

  [[nodiscard]] std::string of(std::string_view name) const { return begins_.back() + std::string(name); }

 private:
  std::vector<std::string> begins_;  ///< what stands before the names, of each section that is open
};

}  // namespace unianimate::fields
