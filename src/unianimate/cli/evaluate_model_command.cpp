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
#include "unianimate/family/presets.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/assignment.h"
#include "unianimate/fields/command_line.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::cli {

/// A preset or settings, as it was given.
struct Variant {
  std::string text;

  friend void visit(fields::Archive& archive, Variant& variant) { archive("variant", variant.text); }
};

}  // namespace unianimate::cli

template <>
struct unianimate::fields::TextForm<unianimate::cli::Variant> {
  static std::string text(const cli::Variant& variant) { return variant.text; }
  static cli::Variant parse(std::string_view text) { return {std::string(text)}; }
};

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
  std::vector<Variant> variants;
};

void visit(fields::Archive& archive, ModelArguments& arguments) {
  archive("reconstruction", arguments.reconstruction,
          "Also measure what the autoencoder alone makes of the true frames");
  archive("videos", arguments.videos, "Also write a video of each person: reference, pose, result, truth");
  archive("output", arguments.output, fields::option("--output,-o"), fields::type("DIR"), fields::kRequired,
          "Folder for the results");
  archive("conditions", arguments.conditions, fields::type("LIST"), fields::group(diffusion::kSamplingGroup),
          "Sets of conditions");
  archive.list("variants", arguments.variants, fields::option("--variant"), fields::group(diffusion::kSamplingGroup),
               fields::type("NAME|FIELD=VALUE..."),
               "A preset, or settings such as 'steps=12 reuse-every=2'; may be given more than once: all are compared "
               "with the first");
}

struct ModelOptions {
  fields::CommandLine people;
  fields::CommandLine request;
  fields::CommandLine rest;
};

constexpr const char* kEvaluateModelExamples = R"(Examples:
  unianimate evaluate model --models small --people 900000-900031 --output quality
  unianimate evaluate model --steps 1,2,5,10,20,50 --guidance 1,2.5 --conditions reference --output sweep
  unianimate evaluate model --variant exact --variant balanced --variant 'reuse-every=3' --output presets

People are procedural, so that every true frame is known: each is drawn from its seed as by 'unianimate puppet' and
animated from a reference picture and poses as by 'unianimate animate'. Options that take lists give a row for each
combination. A set of conditions is reference, first-frame, or names joined by '+': image+dwpose; where it holds
local_image, the reference picture is the video's first frame, else the person stands otherwise in it.

The folder gets quality.md and quality.json (PSNR, SSIM, PSNR within the figure, L1, consistency from frame to frame and
time, as means and for each person), contact_sheet.png, a plot for each number that was given several values, and with
--videos a video of each person. With several variants it says what each saves and how far its videos are from the
first one's, and variants.png shows it.
LPIPS and FVD are not measured: the networks they need do not come with this program.)";

/// The request as the variant wants it; one of no text wants nothing.
family::AnimateRequest varied(family::AnimateRequest request, const Variant& variant) {
  if (const auto preset = fields::find_word<family::Preset>(variant.text)) {
    family::apply_preset(*preset, request);
  } else if (!variant.text.empty()) {
    fields::assign(request, fields::parse_assignments(variant.text),
                   fields::all_but({"reference", "background", "poses", "pose_order", "framing", "size", "frames",
                                    "frame_interval", "conditions", "comparison", "preset"}));
  }
  family::fit_preset(request);
  return request;
}

/// Adds a request in all its variants, of which there is at least one.
void add_variants(const std::string& conditions, const family::AnimateRequest& request,
                  const std::vector<Variant>& variants, std::vector<evaluation::Setting>& settings) {
  const std::size_t first = settings.size();
  for (const Variant& variant : variants) {
    evaluation::Setting& setting = settings.emplace_back(conditions, varied(request, variant), variant.text);
    if (settings.size() > first + 1) setting.compared_with = first;
    require_few_settings(settings.size());
  }
}

std::vector<evaluation::Setting> settings_of(const ModelOptions& options, const ModelArguments& arguments,
                                             const family::AnimateRequest& defaults) {
  family::AnimateRequest request = take_shared(options.request, defaults);
  if (!arguments.variants.empty()) {
    options.request.refuse(fields::only({"preset"}), "with --variant, which says what is compared");
  }
  const std::vector<Variant> variants = arguments.variants.empty() ? std::vector<Variant>(1) : arguments.variants;
  std::vector<evaluation::Setting> settings;
  for (const std::string_view name : split(arguments.conditions, ',')) {
    request.conditions = parse_joined_conditions(std::string(name));
    for (const family::AnimateRequest& one : options.request.combinations(request, evaluation::kMostSettings)) {
      add_variants(std::string(name), one, variants, settings);
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
  const evaluation::ModelEvaluationRequest request =
      request_of(options, arguments, families::default_request(models, machine.loras));
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
