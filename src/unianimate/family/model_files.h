// Where the files of a set of models lie.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace unianimate::family {

/// The checkpoints an animation needs.
struct ModelFiles {
  std::filesystem::path unet;  ///< the denoising model
  std::filesystem::path autoencoder;
  std::filesystem::path clip;                ///< what encodes picture and prompt
  std::filesystem::path description;         ///< model.json; empty where there is none
  std::filesystem::path small_decoder = {};  ///< of the autoencoder; empty where there is none
};

/// One of the published files as it was found, or not.
struct PublishedFile {
  std::string role;            ///< "UNet", "autoencoder", "CLIP", "small decoder", "person detector", "pose estimator"
  std::string published_name;  ///< "unianimate_16f_32f_non_ema_223000.pth", …
  std::optional<std::filesystem::path> found;  ///< under that name or another that is known
  bool needed_to_animate = false;
  bool denoises = false;  ///< the model by which a folder is known to be of its family
};

}  // namespace unianimate::family
