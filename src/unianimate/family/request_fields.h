// The fields of a request.
#pragma once

#include "unianimate/family/request.h"
#include "unianimate/fields/archive.h"

namespace unianimate::family {

void visit(fields::Archive& archive, ChainOptions& chain);
void visit(fields::Archive& archive, AnimateRequest& request);
/// All but what says how large the video is and what it shows of the pictures.
void visit_but_size(fields::Archive& archive, AnimateRequest& request);

/// Also the option --background of others who read a reference.
constexpr const char* kBackgroundHelp =
    "Colour where the reference is transparent, such as white or #00ff00 (default: what is stored beneath)";

/// Also the option --decoder of others who make videos.
constexpr const char* kDecoderHelp =
    "What makes pictures of latents: full, or small, where the models have one: quicker and less exact, see "
    "docs/speed.md";

}  // namespace unianimate::family
