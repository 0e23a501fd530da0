// The fields of what sampling is told.
#pragma once

#include "unianimate/diffusion/context_windows.h"
#include "unianimate/diffusion/sampler_options.h"
#include "unianimate/diffusion/shortcuts.h"
#include "unianimate/fields/archive.h"

namespace unianimate::diffusion {

constexpr const char* kSamplingGroup = "Sampling";
constexpr const char* kShortcutGroup = "Less work, another video";
constexpr const char* kWindowGroup = "Long videos and memory";

void visit(fields::Archive& archive, SamplerOptions& options);
void visit(fields::Archive& archive, ShortcutOptions& options);
void visit(fields::Archive& archive, ContextWindowOptions& options);

}  // namespace unianimate::diffusion
