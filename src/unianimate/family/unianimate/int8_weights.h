// Weights in 8 bits as a UNet's file holds them.
//
// A layer NAME of such a file has NAME.weight as whole numbers (I8) and beside it NAME.weight_scale, 32-bit floats
// (out): its weights are the products. All other tensors are as in any file.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <string_view>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/models/unet/unet.h"
#include "unianimate/naming/model_naming.h"

namespace unianimate::family {

inline constexpr std::string_view kWeightSuffix = ".weight";
inline constexpr std::string_view kScaleSuffix = ".weight_scale";

/// The scales of a file's layers by the model's names of the layers; empty for a file without weights in 8 bits.
using Int8Scales = std::map<std::string, at::Tensor>;

/// Throws Error(kInput) naming the tensor where whole numbers have no scales, scales have no whole numbers, and where
/// scales are of another type or length or not all finite and above 0.
Int8Scales read_int8_scales(const checkpoint::Checkpoint& file, const naming::ModelNaming& naming);

/// Weights of the file that are in 8 bits, judged by its header alone, whatever model they belong to.
std::int64_t count_int8_weights(const checkpoint::Checkpoint& file);

/// Turns the whole numbers that were loaded as parameters into what the layers compute with, in place: those of layers
/// that may multiply in 8 bits, where `int8` asks for it (on a CPU alone), stay whole; all others are multiplied with
/// their scales. Throws Error(kInput) naming the scales that lead beyond the parameters' number format.
void apply_int8_scales(const models::UNet& unet, const Int8Scales& scales, bool int8);

}  // namespace unianimate::family
