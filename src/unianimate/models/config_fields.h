// The fields of the sizes of models, under the names that model.json has.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/models/autoencoder/config.h"
#include "unianimate/models/clip/config.h"
#include "unianimate/models/unet/config.h"

namespace unianimate::models {

void visit(fields::Archive& archive, UNetConfig& config);
void visit(fields::Archive& archive, AutoencoderConfig& config);
void visit(fields::Archive& archive, ClipConfig& config);
void visit(fields::Archive& archive, ClipConfig::Vision& config);
void visit(fields::Archive& archive, ClipConfig::Text& config);

}  // namespace unianimate::models
