// What the autoencoder alone makes of a picture: no video made with it can be nearer to the truth for long.
#pragma once

#include <memory>

#include "unianimate/core/device.h"
#include "unianimate/core/progress.h"
#include "unianimate/family/unianimate/model_files.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/models/autoencoder/autoencoder.h"

namespace unianimate::evaluation {

class Reconstruction {
 public:
  /// Loads the autoencoder; throws as family::load_autoencoder() does.
  Reconstruction(const family::ModelFiles& files, const family::ModelConfigs& configs, const Compute& compute,
                 bool allow_nonfinite, Progress& progress);

  /// Encoded to the mean of the posterior and decoded again. The sides must suit the autoencoder.
  [[nodiscard]] Image operator()(const Image& picture) const;

 private:
  at::Device device_;
  std::unique_ptr<models::Autoencoder> model_;
};

}  // namespace unianimate::evaluation
