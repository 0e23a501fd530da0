// Inside media: libjpeg's errors and warnings, for the decoder and the encoder.
#pragma once

// jpeglib.h needs FILE and size_t declared before it.
#include <cstddef>
#include <cstdio>
// clang-format off
#include <jpeglib.h>
// clang-format on

#include "unianimate/media/pictures/c_library_guard.h"

namespace unianimate {

/// Errors, and warnings that mean lost picture data, end at the failure point with libjpeg's text.
struct JpegErrors : FailurePoint {
  jpeg_error_mgr manager{};

  JpegErrors();
};

}  // namespace unianimate
