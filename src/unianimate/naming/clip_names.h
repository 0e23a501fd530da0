// CLIP's tensors as other programs name them.
#pragma once

#include <string_view>

#include "unianimate/checkpoint/placement.h"

namespace unianimate::naming {

/// Of Hugging Face's transformers (CLIPModel): "text_model.encoder.layers.3.self_attn.k_proj.weight" is the second of
/// three parts of "transformer.resblocks.3.attn.in_proj_weight"; the two projections are turned. A name that is none of
/// these stays.
checkpoint::Placement place_transformers_clip(std::string_view name);

/// Of OpenCLIP, whose models with a text tower of its own have "text." before that tower's names.
checkpoint::Placement place_open_clip(std::string_view name);

}  // namespace unianimate::naming
