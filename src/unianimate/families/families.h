// All families of models there are.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "unianimate/family/family.h"
#include "unianimate/family/model_files.h"

namespace unianimate::family {

struct FamilyEntry {
  std::string_view name;
  /// Whether the files hold models of this family, judged by the names in them; throws nothing for files of others.
  bool (*recognises)(const ModelFiles& files);
  /// Throws as read_model_configs() does.
  std::unique_ptr<Family> (*open)(const ModelFiles& files, const RuntimeOptions& options);
};

/// A new family is a folder in family/ and a row.
std::span<const FamilyEntry> families();

/// The models of the family that recognises the files; where none does, the first one says what is wrong with them.
std::unique_ptr<Family> open_family(const ModelFiles& files, const RuntimeOptions& options);

}  // namespace unianimate::family
