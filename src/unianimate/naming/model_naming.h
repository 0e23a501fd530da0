// Which tensors of a checkpoint are a model's, whatever program saved it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/checkpoint/placement.h"

namespace unianimate::naming {

enum class ModelRole : std::uint8_t { kUNet, kAutoencoder, kClip };
/// "UNet", "autoencoder", "CLIP".
std::string_view label(ModelRole role) noexcept;

struct ModelNaming {
  std::string prefix;        ///< what stands before each name of the model, with its dot
  std::string_view program;  ///< whose names follow it: "diffusers", "transformers"; empty: the published ones
  std::function<checkpoint::Placement(std::string_view)> translate;  ///< from a name without the prefix
  std::vector<std::string> other_prefixes;  ///< of the same model in the file once more, which is not used
  std::string note;                         ///< a sentence about what was decided; empty where the file is as published

  /// Where a tensor of the file belongs; nothing for what is not the model's: another prefix, losses, averaged weights
  /// beside the plain ones, optimizer states, step counts.
  [[nodiscard]] std::optional<checkpoint::Placement> place(std::string_view name) const;
};

/// How the model is named in `checkpoint`: under any prefix, in the published names or those of a program whose mapping
/// is certain; empty where it is not there. Plain weights are preferred to averaged ones ("ema."). Throws Error(kInput)
/// where it is there more than once under prefixes of which none is to be preferred, and for half a CLIP.
std::optional<ModelNaming> find_naming(const checkpoint::Checkpoint& checkpoint, ModelRole role);

/// The same, but throws Error(kInput) where the model is not there, with a sentence about what the names are instead.
ModelNaming require_naming(const checkpoint::Checkpoint& checkpoint, ModelRole role);

}  // namespace unianimate::naming
