// The fields of train.yaml.
#pragma once

#include "unianimate/fields/archive.h"
#include "unianimate/training/train_config.h"

namespace unianimate::training {

void visit(fields::Archive& archive, LoraOptions& lora);
void visit(fields::Archive& archive, OptimizerOptions& optimizer);
void visit(fields::Archive& archive, CropPhase& phase);
void visit(fields::Archive& archive, AutoencoderLossOptions& loss);
void visit(fields::Archive& archive, SmallDecoderLossOptions& loss);
void visit(fields::Archive& archive, UNetLossOptions& loss);
void visit(fields::Archive& archive, DistillationOptions& distil);
/// Which losses there are, and whether people or videos are learnt from, follows from fields before.
void visit(fields::Archive& archive, TrainConfig& config);

}  // namespace unianimate::training
