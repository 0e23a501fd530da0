// A model evaluation to look at.
#pragma once

#include <string>
#include <vector>

#include "unianimate/evaluation/model_evaluation.h"

namespace unianimate::evaluation {

/// For each shown person rows of poses, truth, and what each setting was given and made.
Image quality_contact_sheet(const ModelEvaluation& evaluation);

struct NamedPicture {
  std::string name;  ///< without suffix: "steps", "noise_prior"
  Image picture;
};

/// For each parameter that takes several values: PSNR, figure PSNR and SSIM over it, a curve for each combination of
/// everything else and one for each baseline. Where settings are variants, "variants" alone, see variants_plot().
std::vector<NamedPicture> quality_plots(const ModelEvaluation& evaluation);

}  // namespace unianimate::evaluation
