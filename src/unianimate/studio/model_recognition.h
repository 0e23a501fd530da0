// Which of the models a checkpoint file holds, and whether it can be loaded.
#pragma once

#include <filesystem>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/progress.h"
#include "unianimate/family/recognised_model.h"

namespace unianimate::studio {

/// Looks at names and shapes, then reads the whole file: every name and shape of a known model is compared, of any file
/// every checksum it has, and values that are not finite are counted. A model.json beside the file is taken into
/// account.
family::RecognisedModel recognise_model(const checkpoint::Checkpoint& checkpoint, const std::filesystem::path& file,
                                        const Progress& progress);

}  // namespace unianimate::studio
