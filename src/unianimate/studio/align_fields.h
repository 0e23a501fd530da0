// The fields of how a motion becomes pose pictures.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/studio/align_request.h"

namespace unianimate::studio {

void visit(fields::Archive& archive, MotionOptions& options);
void visit(fields::Archive& archive, AlignRequest& request);

/// How a motion is fitted to a person: of no effect where nothing is fitted. Without the preview, which is of what was
/// found, too.
fields::Filter fitting_fields();
/// That, and what of the motion is taken: of no effect without one.
fields::Filter motion_fields();

}  // namespace unianimate::studio
