// A decoder of a twentieth of the operations, trained against the pictures of the large one.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "unianimate/models/autoencoder/config.h"
#include "unianimate/nn/layers.h"

namespace unianimate::models {

/// The defaults suit the published autoencoder.
struct SmallDecoderConfig {
  std::int64_t z_channels = 4;                            ///< channels of the latent
  std::vector<std::int64_t> widths = {32, 64, 128, 128};  ///< channels of each level, the outermost first

  /// Picture sides over latent sides.
  [[nodiscard]] std::int64_t upscale() const { return std::int64_t{1} << (widths.size() - 1); }
  /// Residual blocks of a level: one of the outermost, where pictures are largest, two of the others.
  [[nodiscard]] static std::int64_t blocks(std::size_t level) { return level == 0 ? 1 : 2; }

  /// Throws Error(kUsage) that names the field, what was expected and what was given.
  void check() const;

  bool operator==(const SmallDecoderConfig&) const = default;
};

/// For the latents and pictures of an autoencoder: as many levels, of a quarter, a half and then all of its `ch`
/// channels, at least 16.
SmallDecoderConfig small_decoder_for(const AutoencoderConfig& autoencoder);

/// Works the sizes out from a checkpoint's shapes. Throws Error(kInput) where they are not a small decoder's.
SmallDecoderConfig small_decoder_config_from_shapes(const Shapes& shapes);

/// relu(x + conv3(relu(conv2(relu(conv1 x))))), all 3×3. Names: conv1, conv2, conv3.
class SmallDecoderBlock : public nn::Module {
 public:
  SmallDecoderBlock(std::int64_t channels, const at::TensorOptions& options);
  /// (N, h, w, C) -> (N, h, w, C)
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  nn::Conv2d conv1_;
  nn::Conv2d conv2_;
  nn::Conv2d conv3_;
};

/// Of the kind of TAESD (Ollin Boer Bohan, 2023): 3×3 convolutions with ReLU and nearest enlargement, without
/// normalisation and attention, so that what a pixel becomes follows from what lies around it. Names: conv_in,
/// up.L.block.I, up.L.upsample, conv_out. Calls are const and thread-safe; it can be differentiated.
class SmallDecoder : public nn::Module {
 public:
  /// Throws Error(kUsage) through config.check(). Parameters are made in `options`' dtype and on its device.
  SmallDecoder(const SmallDecoderConfig& config, const at::TensorOptions& options);

  [[nodiscard]] const SmallDecoderConfig& config() const { return config_; }

  /// Scaled latents (N, z_channels, h, w) as Autoencoder::decode() takes them -> pictures (N, 3, H, W), about [-1, 1],
  /// in the parameters' dtype. Latents beyond about 3 are pressed together by 3·tanh(x / 3).
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const;

 private:
  struct Level {
    std::vector<std::unique_ptr<SmallDecoderBlock>> blocks;
    std::unique_ptr<nn::Conv2d> upsample;  ///< after an enlargement by two; none of the outermost
  };

  SmallDecoderConfig config_;
  at::TensorOptions options_;
  nn::Conv2d conv_in_;
  std::vector<Level> levels_;  ///< run from the last (deepest) to the first
  nn::Conv2d conv_out_;
};

}  // namespace unianimate::models
