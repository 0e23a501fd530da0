// The fields of how a motion is fitted.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/pose/align/alignment.h"

namespace unianimate::pose {

constexpr const char* kAlignmentGroup = "Alignment";

/// But for the canvas.
void visit(fields::Archive& archive, AlignmentOptions& options);
void visit(fields::Archive& archive, Canvas& canvas);

}  // namespace unianimate::pose
