// Where the files of a set of models lie.
#pragma once

#include <filesystem>

namespace unianimate::family {

/// The checkpoints an animation needs.
struct ModelFiles {
  std::filesystem::path unet;  ///< the denoising model
  std::filesystem::path autoencoder;
  std::filesystem::path clip;         ///< what encodes picture and prompt
  std::filesystem::path description;  ///< model.json; empty where there is none
};

}  // namespace unianimate::family
