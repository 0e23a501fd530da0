// What the towers of CLIP cost, counted from their sizes.
#pragma once

#include <cstdint>

#include "unianimate/models/clip/config.h"

namespace unianimate::models {

/// Floating-point operations of one block on so many tokens: linear layers and attention products, a multiply-add
/// counted as two.
double clip_block_operations(std::int64_t tokens, std::int64_t width, std::int64_t mlp_ratio);

/// Tokens of a picture.
std::int64_t clip_visual_tokens(const ClipConfig& config);

/// Of the embedding of one picture, and of the empty prompt.
double clip_visual_operations(const ClipConfig& config);
double clip_text_operations(const ClipConfig& config);

}  // namespace unianimate::models
