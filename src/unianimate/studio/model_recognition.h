// Which of the models a checkpoint file holds, judged by its content.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/progress.h"

namespace unianimate::studio {

struct RecognisedModel {
  std::string role;                                        ///< "UNet", "autoencoder", "CLIP"; empty: none of these
  std::string prefix;                                      ///< what stands before each of its names in the file
  std::string program;                                     ///< whose names they are; empty: the published ones
  std::vector<std::pair<std::string, std::string>> sizes;  ///< names of the config's fields and their values
  std::vector<std::string> notes;                          ///< what is left aside
  std::string problem;  ///< why the model cannot be loaded from the file; empty where it can
};

/// Looks at names and shapes, then reads the whole file: every name and shape of a known model is compared, of any file
/// every checksum it has, and values that are not finite are counted. A model.json beside the file is taken into
/// account.
RecognisedModel recognise_model(const checkpoint::Checkpoint& checkpoint, const std::filesystem::path& file,
                                const Progress& progress);

}  // namespace unianimate::studio
