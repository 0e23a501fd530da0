// unianimate evaluate model: how near a model's videos are to the truth.
#include <CLI/CLI.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/evaluation_arguments.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/evaluation/quality_pictures.h"
#include "unianimate/evaluation/quality_report.h"
#include "unianimate/families/families.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/command_line.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

PeopleArguments usual_people() {
  return {evaluation::PeopleRange(), evaluation::ModelEvaluationRequest().clip};
}

/// What is measured beside the settings.
struct ModelArguments {
  bool reconstruction = false;
  bool videos = false;
  fs::path output;
  std::string conditions = "reference,first-frame";
};

void visit(fields::Archive& archive, ModelArguments& arguments) {
  archive("reconstruction", arguments.reconstruction,
          "Also measure what the autoencoder alone makes of the true frames");
  archive("videos", arguments.videos, "Also write a video of each person: reference, pose, result, truth");
  archive("output", arguments.output, fields::option("--output,-o"), fields::type("DIR"), fields::kRequired,
          "Folder for the results");
  archive("conditions", arguments.conditions, fields::type("LIST"), fields::group(diffusion::kSamplingGroup),
          "Sets of conditions");
}

struct ModelOptions {
  fields::CommandLine people;
  fields::CommandLine request;
  fields::CommandLine rest;
};

constexpr const char* kEvaluateModelExamples = R"(Examples:
  unianimate evaluate model --models small --people 900000-900031 --output quality
  unianimate evaluate model --steps 1,2,5,10,20,50 --guidance 1,2.5 --conditions reference --output sweep

People are procedural, so that every true frame is known: each is drawn from its seed as by 'unianimate puppet' and
animated from a reference picture and poses as by 'unianimate animate'. Options that take lists give a row for each
combination. A set of conditions is reference, first-frame, or names joined by '+': image+dwpose; where it holds
local_image, the reference picture is the video's first frame, else the person stands otherwise in it.

The folder gets quality.md and quality.json (PSNR, SSIM, PSNR within the figure, L1, consistency from frame to frame and
time, as means and for each person), contact_sheet.png, a plot for each number that was given several values, and with
--videos a video of each person.
LPIPS and FVD are not measured: the networks they need do not come with this program.)";

std::vector<evaluation::Setting> settings_of(const ModelOptions& options, const ModelArguments& arguments,
                                             const family::AnimateRequest& defaults) {
  family::AnimateRequest request = take_shared(options.request, defaults);
  std::vector<evaluation::Setting> settings;
  for (const std::string_view name : split(arguments.conditions, ',')) {
    request.conditions = parse_joined_conditions(std::string(name));
    for (family::AnimateRequest& one : options.request.combinations(request, evaluation::kMostSettings)) {
      settings.push_back({std::string(name), std::move(one)});
      require_few_settings(settings.size());
    }
  }
  return settings;
}

evaluation::ModelEvaluationRequest request_of(const ModelOptions& options, const ModelArguments& arguments,
                                              const family::AnimateRequest& defaults) {
  evaluation::ModelEvaluationRequest request;
  request.reconstruction = arguments.reconstruction;
  take_people(options.people, usual_people(), defaults, request);
  if (arguments.videos) request.videos = arguments.output;
  request.open_video = [](const fs::path& path, int width, int height, double frames_per_second) {
    return open_video_writer(path, {width, height, frames_per_second});
  };
  request.settings = settings_of(options, arguments, defaults);
  request.check();
  return request;
}

void evaluate_model(const ModelOptions& options, Session& session) {
  const auto arguments = options.rest.taken<ModelArguments>();
  const auto machine = options.rest.taken<RuntimeArguments>();
  const fs::path models = studio::models_to_animate_with(machine.models);
  const evaluation::ModelEvaluationRequest request = request_of(options, arguments, families::default_request(models));
  const family::RuntimeOptions runtime = prepare_runtime(machine);
  const family::ModelFiles files = families::find_files(models);
  const EvaluationPlan plan{request, files, runtime, arguments.output, {}};
  Progress& progress = *session.reporter;
  if (machine.dry_run) return tell_evaluation_plan(plan, machine, progress);
  const auto family = open_to_evaluate(plan, models, "quality.json", progress);
  const evaluation::ModelEvaluation evaluation = evaluation::evaluate_model(request, *family, progress);
  EvaluationReport report{"quality", evaluation::quality_markdown(evaluation), evaluation::quality_json(evaluation),
                          evaluation::quality_table(evaluation), evaluation::quality_plots(evaluation)};
  report.pictures.push_back({"contact_sheet", evaluation::quality_contact_sheet(evaluation)});
  tell_evaluation(report, arguments.output, machine, progress);
}

}  // namespace

CommandWork add_evaluate_model_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<ModelOptions>();
  options->people.add(command, usual_people());
  options->rest.add(command, ModelArguments());
  options->request.add_lists<family::AnimateRequest>(command, {"steps", "guidance_scale", "noise_prior", "seed"});
  options->request.add(command, family::AnimateRequest(), shared_settings());
  options->rest.add(command, RuntimeArguments());
  command.footer(kEvaluateModelExamples);
  return {[options, &session] { evaluate_model(*options, session); }, {options, &options->rest}};
}

}  // namespace unianimate::cli
