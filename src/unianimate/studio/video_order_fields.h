// The fields of an order: what a face can ask of a video.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/studio/video_order.h"

namespace unianimate::studio {

void visit(fields::Archive& archive, VideoOrder& order);

}  // namespace unianimate::studio
