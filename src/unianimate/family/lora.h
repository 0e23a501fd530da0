// Low-rank corrections of the UNet's weights (LoRA), kept in files of their own and added when the UNet is loaded.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/named_tensor.h"
#include "unianimate/core/progress.h"
#include "unianimate/family/adapter_config.h"

namespace unianimate::checkpoint {
class Checkpoint;
}  // namespace unianimate::checkpoint

namespace unianimate::family {

/// A file and how strongly it is to act. For some of the UNet's weights NAME.weight, (out, in) or (out, in, 1), the
/// file holds a matrix down (rank, in), a matrix up (out, rank) and, if it likes, a number alpha, in any floating-point
/// type, under the names of any program that naming::parse_lora_name() knows.
struct LoraFile {
  std::filesystem::path path;
  double scale = 1;
};

/// How one LoRA is used.
struct LoraSettings {
  double scale = 1;
  std::optional<AdapterConfig> config = std::nullopt;  ///< for weights without an alpha in the file itself
  bool allow_nonfinite = false;
};

/// Whether a UNet's parameter of this name may be corrected: the matrices of its transformers, that is attention
/// (to_q, to_k, to_v, to_out.0), feed-forward (net.0.proj, net.2), proj_in and proj_out.
bool takes_lora(std::string_view parameter_name);

/// Throws what add_loras() would throw for this file with these parameters of a UNet, of which only names and shapes
/// count, and returns a sentence about it.
std::string check_lora(checkpoint::Checkpoint file, const LoraSettings& settings, const NamedTensors& unet);

/// The same for files.
std::vector<std::string> check_loras(const std::vector<LoraFile>& files, const NamedTensors& unet,
                                     bool allow_nonfinite);

/// Throws Error(kInput) where one of the files says in its metadata that it was distilled from another base than the
/// denoising model in `model`, which is then read once.
void require_base(const std::vector<LoraFile>& files, const std::filesystem::path& model);

/// To each weight its files' corrections scale · alpha / rank · up · down are added, in 32 bits and rounded once. Where
/// the file has no alpha, find_adapter_config() tells it, else it is the rank. Throws Error(kInput)
/// naming the file and the tensor: no such file, not a LoRA, a name the UNet lacks, half a pair, other shapes, and,
/// unless they are allowed, values that are not finite and a sum beyond the weight's type; Error(kUsage) for a scale
/// that is not finite. The weights may then be changed in part. `progress` may cancel between weights.
void add_loras(const std::vector<LoraFile>& files, const NamedTensors& unet, bool allow_nonfinite,
               const Progress& progress);

}  // namespace unianimate::family
