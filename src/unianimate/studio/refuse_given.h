// Fields that a face was given and that say nothing about what is asked for.
#pragma once

#include <functional>
#include <string_view>

#include "unianimate/fields/field.h"

namespace unianimate::studio {

/// Throws Error(kUsage) where the face was given a field that passes the filter: it "has no effect " + `when`. Empty
/// where a field without effect is passed over.
using RefuseGiven = std::function<void(const fields::Filter& fields, std::string_view when)>;

inline void refuse(const RefuseGiven& refuse_given, const fields::Filter& fields, std::string_view when) {
  if (refuse_given) refuse_given(fields, when);
}

}  // namespace unianimate::studio
