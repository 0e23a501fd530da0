#include "unianimate/studio/report_folder.h"

#include "unianimate/core/output_rule.h"

namespace unianimate::studio {

std::filesystem::path report_folder(const std::filesystem::path& output) {
  return shared_folder(beside(output, "-report"));
}

}  // namespace unianimate::studio
