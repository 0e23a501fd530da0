// How long the models' work is likely to take, from pieces of it that are tried out on this machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "unianimate/family/family.h"
#include "unianimate/family/unianimate/model_files.h"

namespace unianimate::family {

/// Every block of a level takes as long for an operation as one that is tried out with weights of the model's shapes on
/// as much of a clip or picture as takes a moment; loading a file takes as long for a byte as some of its tensors.
/// Everything is tried once. What is given must outlive this.
class ModelTiming {
 public:
  ModelTiming(const ModelFiles& files, const ModelConfigs& configs, const RuntimeOptions& options)
      : files_(files), configs_(configs), options_(options) {}

  /// See Family::time_work().
  WorkSeconds seconds(const AnimateRequest& request, const ClipShape& window);

 private:
  /// Latents, height and width of a window, or none and those of a picture; whether in 8 bits.
  using Shape = std::tuple<std::int64_t, std::int64_t, std::int64_t, bool>;

  double load_seconds(const std::filesystem::path& file, double share);
  const std::vector<double>& unet_rates(const ClipShape& window, bool int8);
  double pass_seconds(const ClipShape& window, bool int8);
  double pose_seconds(const ClipShape& window);
  double int8_choice_seconds();
  const std::vector<double>& autoencoder_rates(std::int64_t h, std::int64_t w, bool int8);
  double decode_seconds(std::int64_t h, std::int64_t w, bool int8);
  double int8_decoder_choice_seconds();
  double small_decoder_seconds(std::int64_t h, std::int64_t w);
  double clip_rate();

  const ModelFiles& files_;
  const ModelConfigs& configs_;
  const RuntimeOptions& options_;
  std::map<Shape, std::vector<double>> rates_;                            ///< operations a second, of each level
  std::map<std::string, double> file_seconds_;                            ///< of loading the whole file
  std::map<std::pair<std::int64_t, std::int64_t>, double> pose_seconds_;  ///< of a pose picture, by its latent sides
  std::map<std::pair<std::int64_t, std::int64_t>, double> small_decoder_seconds_;  ///< of a latent of these sides
  double clip_rate_ = 0;
};

}  // namespace unianimate::family
