// The person of the reference picture.
#pragma once

#include <filesystem>

#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/pose/align/alignment.h"
#include "unianimate/pose/detect/people_search.h"

namespace unianimate::studio {

/// Phase: "find reference". Several people are told of, and the main one is taken. `path` is the picture's name for
/// people. Throws Error(kInput) where there is nobody, and as LazyDetector::get().
pose::ReferencePose find_reference(const Image& picture, const std::filesystem::path& path,
                                   pose::LazyDetector& detector, Progress& progress);

}  // namespace unianimate::studio
