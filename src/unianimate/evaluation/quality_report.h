// A model evaluation as text for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "unianimate/evaluation/model_evaluation.h"

namespace unianimate::evaluation {

/// A Markdown table of means, padded so that it can be read as it is: one row for each setting, then the baselines.
std::string quality_table(const ModelEvaluation& evaluation);

/// quality.md: what was measured, the table, what its columns mean, and every person.
std::string quality_markdown(const ModelEvaluation& evaluation);

/// quality.json; docs/evaluation.md describes every field.
nlohmann::ordered_json quality_json(const ModelEvaluation& evaluation);

}  // namespace unianimate::evaluation
