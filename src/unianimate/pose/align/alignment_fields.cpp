#include "unianimate/pose/align/alignment_fields.h"

namespace unianimate::pose {

namespace {

using fields::group;
using fields::range;

constexpr double kLargestSide = 8192;

}  // namespace

void visit(fields::Archive& archive, AlignmentOptions& options) {
  archive("alignment", options.method, group(kAlignmentGroup), "robust, or published: exactly as the published tool");
  archive("alignment_strength", options.strength, range(0, 1), group(kAlignmentGroup),
          "0 keeps the driver's proportions, 1 takes the reference's (robust)");
  archive("max_stretch", options.max_stretch, range(1, 10), group(kAlignmentGroup),
          "No bone changes more than this against the whole figure (robust)");
  archive("keep_inside", options.keep_inside, fields::switched_off_by("--leave-picture"), group(kAlignmentGroup),
          "Let the figure walk out of the picture where the motion does (robust)");
}

void visit(fields::Archive& archive, Canvas& canvas) {
  archive.size("size", canvas.width, canvas.height, range(16, kLargestSide, "pixels"),
               "Width x height of the pose pictures");
}

}  // namespace unianimate::pose
