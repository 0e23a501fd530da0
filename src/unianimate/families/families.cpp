#include "unianimate/families/families.h"

#include <algorithm>
#include <array>

#include "unianimate/family/unianimate/unianimate_family.h"

namespace unianimate::family {

namespace {

constexpr std::array kFamilies{FamilyEntry{"unianimate", is_unianimate, open_unianimate}};

}  // namespace

std::span<const FamilyEntry> families() {
  return kFamilies;
}

std::unique_ptr<Family> open_family(const ModelFiles& files, const RuntimeOptions& options) {
  const auto found = std::ranges::find_if(kFamilies, [&](const FamilyEntry& entry) { return entry.recognises(files); });
  return (found != kFamilies.end() ? *found : kFamilies.front()).open(files, options);
}

}  // namespace unianimate::family
