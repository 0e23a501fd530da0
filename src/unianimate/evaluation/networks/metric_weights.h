// The published weights of the networks behind measures, which the user brings.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/evaluation/networks/i3d.h"
#include "unianimate/evaluation/networks/inception_v3.h"
#include "unianimate/evaluation/networks/lpips.h"

namespace unianimate::evaluation {

/// "FVD", "i3d_pretrained_400.pt is not in weights/"
struct NotMeasured {
  std::string measure;
  std::string why;
};

/// Those whose files are there; null: not.
struct MetricNetworks {
  std::unique_ptr<Lpips> lpips_alex;
  std::unique_ptr<Lpips> lpips_vgg;
  std::unique_ptr<InceptionV3> inception;
  std::unique_ptr<I3d> i3d;
  std::vector<NotMeasured> missing;
};

/// Reads state dicts from `folder` as open_checkpoint() does, nothing of them is executed:
/// - LPIPS (AlexNet): alexnet-owt-7be5be79.pth (torchvision) and alex.pth (package lpips, weights/v0.1);
/// - LPIPS (VGG): vgg16-397923af.pth (torchvision) and vgg.pth (package lpips, weights/v0.1);
/// - FID: pt_inception-2015-12-05-6726825d.pth (pytorch-fid);
/// - FVD: i3d_pretrained_400.pt;
/// each may be a .safetensors file of that base name instead. An empty folder: none is asked for. Throws Error(kInput)
/// for a folder that is not there and for a file that is damaged or holds other tensors.
MetricNetworks load_metric_networks(const std::filesystem::path& folder, const Progress* progress = nullptr);

}  // namespace unianimate::evaluation
