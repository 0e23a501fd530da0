// What variants of a setting save, and how far their videos are from those of the first one.
#pragma once

#include <string>

#include "unianimate/evaluation/model_evaluation.h"

namespace unianimate::evaluation {

/// Whether any setting is compared with another.
bool has_variants(const ModelEvaluation& evaluation);

/// A Markdown table: work and time as ratios to the first variant, distance from its videos, and how much nearer to the
/// truth or farther from it they are.
std::string variants_table(const ModelEvaluation& evaluation);

/// Distance from the first variant's videos over the work that is saved, with the Pareto front: those variants than
/// which no other is as near for less work. Throws as draw_line_chart().
Image variants_plot(const ModelEvaluation& evaluation);

}  // namespace unianimate::evaluation
