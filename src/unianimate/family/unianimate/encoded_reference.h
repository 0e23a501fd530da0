// The person's picture through autoencoder and CLIP, and what follows from it for a clip.
#pragma once

#include <memory>

#include "unianimate/diffusion/noise_schedule.h"
#include "unianimate/family/family.h"
#include "unianimate/family/unianimate/loaded_models.h"

namespace unianimate::family {

/// See Family::encode(). All references outlive the result.
std::unique_ptr<Reference> encode_reference(LoadedModels& models, const diffusion::NoiseSchedule& schedule,
                                            const ReferencePictures& pictures, const AnimateRequest& request,
                                            const Residency& residency, Progress& progress);

}  // namespace unianimate::family
