// The fields of how a motion becomes pose pictures.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

void visit(fields::Archive& archive, MotionOptions& options);
void visit(fields::Archive& archive, AlignRequest& request);

}  // namespace unianimate::studio
