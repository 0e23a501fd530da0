// What the commands that measure models on procedural people have in common.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/evaluation/model_evaluation.h"
#include "unianimate/evaluation/quality_pictures.h"
#include "unianimate/family/family.h"
#include "unianimate/family/model_files.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/fields/command_line.h"

namespace unianimate::cli {

/// Who is animated, in which clips.
struct PeopleArguments {
  evaluation::PeopleRange people;
  puppet::ClipOptions clip;
};

void visit(fields::Archive& archive, PeopleArguments& arguments);

/// People and clips of the request; the size where none is given is the model's. Throws Error(kUsage).
void take_people(const fields::CommandLine& options, const PeopleArguments& usual,
                 const family::AnimateRequest& defaults, evaluation::ModelEvaluationRequest& request);

/// The fields of a request that say neither what is animated nor what an evaluation gives several values.
fields::Filter shared_settings();

/// The requests with what these options say, one for each combination of the values of lists and never more than
/// kMostSettings and one. Throws Error(kUsage), also where one says nothing beside the others.
std::vector<family::AnimateRequest> take_shared(const fields::CommandLine& options,
                                                const family::AnimateRequest& defaults);

/// "image+dwpose", "reference", "first-frame". Throws Error(kUsage).
family::ConditionSet parse_joined_conditions(std::string name);

/// Throws Error(kUsage) where lists of options give more combinations than can be measured.
void require_few_settings(std::size_t settings);

/// A model folder and what corrects its UNet.
struct ModelChoice {
  std::filesystem::path folder;
  std::vector<family::LoraFile> loras;
};

/// Models that are measured.
struct EvaluatedModels {
  std::filesystem::path folder;
  family::ModelFiles files;
  family::RuntimeOptions runtime;
  std::string told;  ///< how they are to be sampled, for people; empty where they do not say
};

/// By the numbers that settings have for them (evaluation::Setting::models). Where they are several each may have an
/// equal share of the memory. Throws Error(kInput) where one lacks a file, Error(kUsage) where a setting has conditions
/// that its models were not distilled with, or leaves out some of the few steps of distilled ones.
std::vector<EvaluatedModels> find_models(const std::vector<ModelChoice>& choices,
                                         const evaluation::ModelEvaluationRequest& request,
                                         const family::RuntimeOptions& runtime);

/// An evaluation that is only planned.
struct EvaluationPlan {
  const evaluation::ModelEvaluationRequest& request;
  std::vector<EvaluatedModels> models;
  std::filesystem::path output;
  std::vector<std::string> strategies;  ///< of each setting, by name; empty where there are none
};

/// Prints how much work the evaluation is, as JSON where `machine` asks for it (docs/evaluation.md).
void tell_evaluation_plan(const EvaluationPlan& plan, const RuntimeArguments& machine, Progress& progress);

/// Opened models, and the same as evaluation::Families.
struct OpenModels {
  std::vector<std::unique_ptr<family::Family>> owned;
  std::vector<family::Family*> families;
};

/// Opens the models once they have been told and the output folder is there; throws now what writing a file `name` into
/// that would throw after long work.
OpenModels open_to_evaluate(const EvaluationPlan& plan, const std::string& name, Progress& progress);

/// What was measured.
struct EvaluationReport {
  std::string name;  ///< "quality": of quality.md, quality.json and of the event
  std::string markdown;
  nlohmann::ordered_json json;
  std::string table;  ///< for the terminal
  std::vector<evaluation::NamedPicture> pictures;
};

/// Writes it into the folder and prints it, as JSON where `machine` asks for it.
void tell_evaluation(const EvaluationReport& report, const std::filesystem::path& folder,
                     const RuntimeArguments& machine, Progress& progress);

}  // namespace unianimate::cli
