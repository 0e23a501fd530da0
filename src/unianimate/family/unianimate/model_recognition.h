// Which of the family's models a checkpoint file holds, judged by its content.
#pragma once

#include <filesystem>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/family/recognised_model.h"

namespace unianimate::family {

/// Fills in what names and shapes tell, and nothing for a model of others; a model.json beside the file is taken into
/// account. Throws Error where the model cannot be loaded from the file, after filling in what is known.
void examine_unianimate(const checkpoint::Checkpoint& checkpoint, const std::filesystem::path& file,
                        RecognisedModel& model);

}  // namespace unianimate::family
