#include "unianimate/studio/align_request.h"

#include "unianimate/core/error.h"
#include "unianimate/fields/range_check.h"
#include "unianimate/studio/align_fields.h"

namespace unianimate::studio {

void refuse_unused_options(const MotionOptions& options, const RefuseGiven& refuse_given) {
  if (options.alignment.method != pose::AlignmentMethod::kPublished) return;
  refuse(refuse_given, fields::only({"alignment_strength", "max_stretch", "keep_inside"}),
         "with --alignment published");
}

void AlignRequest::check() const {
  fields::check_ranges(*this);
  if (end_seconds && !(*end_seconds > start_seconds)) {
    throw Error(ErrorKind::kUsage, "the part of the motion must begin at 0 seconds or later and end after that");
  }
  if (threads < 0) throw Error(ErrorKind::kUsage, "the threads must be 0 (automatic) or more, but are {}", threads);
}

}  // namespace unianimate::studio
