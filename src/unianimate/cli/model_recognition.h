// Which of the models a checkpoint file holds, judged by its content.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/progress.h"

namespace unianimate::cli {

struct RecognisedModel {
  std::string role;                                        ///< "UNet", "autoencoder", "CLIP"; empty: none of these
  std::vector<std::pair<std::string, std::string>> sizes;  ///< names of the config's fields and their values
  std::string problem;  ///< why the model cannot be loaded from the file; empty where it can
};

/// Looks at names and shapes, then loads the file into a model without memory: every name and shape is compared, and
/// every checksum the file has. A model.json beside the file is taken into account.
RecognisedModel recognise_model(const checkpoint::Checkpoint& checkpoint, const std::filesystem::path& file,
                                const Progress& progress);

}  // namespace unianimate::cli
