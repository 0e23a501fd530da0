// The fields of an order of a published configuration's videos, but for what is asked for beside it.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/studio/published_videos.h"

namespace unianimate::studio {

void visit(fields::Archive& archive, PublishedOrder& order);

}  // namespace unianimate::studio
