#include "unianimate/models/config_check.h"

#include "unianimate/core/error.h"

namespace unianimate::models {

void ConfigCheck::operator()(bool holds, const char* field, const char* expected, std::int64_t found) const {
  if (!holds) throw Error(ErrorKind::kUsage, "{}.{} must be {}, found {}", network, field, expected, found);
}

}  // namespace unianimate::models
