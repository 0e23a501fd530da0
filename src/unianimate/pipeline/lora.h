// Low-rank corrections of the UNet's weights (LoRA), kept in files of their own and added when the UNet is loaded.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/core/named_tensor.h"
#include "unianimate/core/progress.h"
#include "unianimate/models/unet/config.h"

namespace unianimate::pipeline {

/// A file and how strongly it is to act. For some of the UNet's weights NAME.weight, (out, in) or (out, in, 1), the
/// file holds NAME.lora_down.weight (rank, in), NAME.lora_up.weight (out, rank) and, if it likes, the number NAME.alpha
/// (else it is the rank), in any floating-point type. PEFT's spelling is read, too: base_model.model.NAME.lora_A.weight
/// and lora_B.weight.
struct LoraFile {
  std::filesystem::path path;
  double scale = 1;
};

/// Whether a UNet's parameter of this name may be corrected: the matrices of its transformers, that is attention
/// (to_q, to_k, to_v, to_out.0), feed-forward (net.0.proj, net.2), proj_in and proj_out.
bool takes_lora(std::string_view parameter_name);

/// Throws what add_loras() would throw for these files with a UNet of these sizes, as far as the files tell, and
/// returns a sentence about each.
std::vector<std::string> check_loras(const std::vector<LoraFile>& files, const models::UNetConfig& unet);

/// To each weight its files' corrections scale · alpha / rank · up · down are added, in 32 bits and rounded once.
/// Throws Error(kInput) naming the file and the tensor: no such file, not a LoRA, a name the UNet lacks, half a pair,
/// other shapes, values that are not finite, a sum beyond the weight's type; Error(kUsage) for a scale that is not
/// finite. The weights may then be changed in part. `progress` may cancel between weights.
void add_loras(const std::vector<LoraFile>& files, const NamedTensors& unet, const Progress& progress);

}  // namespace unianimate::pipeline
