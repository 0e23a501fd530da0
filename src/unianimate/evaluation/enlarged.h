// Small pictures, larger.
#pragma once

#include "unianimate/media/pictures/image.h"

namespace unianimate::evaluation {

/// The picture, by the least whole number times larger that makes it at least `least_height` high.
Image enlarged(const Image& picture, int least_height);

}  // namespace unianimate::evaluation
