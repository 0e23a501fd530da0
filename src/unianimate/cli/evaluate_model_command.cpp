// unianimate evaluate model: how near a model's videos are to the truth.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/evaluation_arguments.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/evaluation/quality_pictures.h"
#include "unianimate/evaluation/quality_report.h"
#include "unianimate/families/families.h"
#include "unianimate/family/lora_fields.h"
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
               "A preset, or settings such as 'steps=12 reuse-every=2', also of other models (models=DIR, "
               "lora=FILE[:SCALE]); may be given more than once: all are compared with the first");
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
  unianimate evaluate model --variant 'timesteps=trailing steps=50' --variant 'lora=fast.safetensors steps=4' --output fast

People are procedural, so that every true frame is known: each is drawn from its seed as by 'unianimate puppet' and
animated from a reference picture and poses as by 'unianimate animate'. Options that take lists give a row for each
combination. A set of conditions is reference, first-frame, or names joined by '+': image+dwpose; where it holds
local_image, the reference picture is the video's first frame, else the person stands otherwise in it.

The folder gets quality.md and quality.json (PSNR, SSIM, PSNR within the figure, L1, consistency from frame to frame,
sharpness and movement beside the truth's, and time, as means and for each person), contact_sheet.png, a plot for each
number that was given several values, and with --videos a video of each person. With several variants it says what each
saves and how far its videos and latents are from the first one's, and variants.png shows it. Models that were distilled
are sampled as their files say, also as variants.
LPIPS and FVD are not measured: the networks they need do not come with this program.)";

/// Takes the models out of what a variant assigns: "models=DIR", without the LoRAs of the command line, or its models
/// with each "lora=FILE[:SCALE]" instead of these. Nothing where it names none.
std::optional<ModelChoice> take_models(std::vector<fields::Assignment>& assignments, const ModelChoice& usual) {
  std::optional<ModelChoice> choice;
  std::erase_if(assignments, [&](const fields::Assignment& assignment) {
    if (assignment.field != "models" && assignment.field != "lora") return false;
    if (!choice) choice = ModelChoice{usual.folder, {}};
    if (assignment.field == "models") {
      choice->folder = assignment.text;
    } else {
      choice->loras.push_back(family::parse_lora(assignment.text));
    }
    return true;
  });
  return choice;
}

/// Its number among those there are; a new one is added.
std::size_t number_of(const ModelChoice& choice, std::vector<ModelChoice>& models) {
  const auto same = std::ranges::find_if(models, [&](const ModelChoice& other) {
    return other.folder == choice.folder &&
           std::ranges::equal(other.loras, choice.loras, {}, family::lora_text, family::lora_text);
  });
  const auto number = static_cast<std::size_t>(same - models.begin());
  if (same == models.end()) models.push_back(choice);
  return number;
}

/// The setting as the variant wants it; one of no text wants nothing. Models that it names come to the others.
void vary(evaluation::Setting& setting, const Variant& variant, std::vector<ModelChoice>& models) {
  family::AnimateRequest& request = setting.request;
  if (const auto preset = fields::find_word<family::Preset>(variant.text)) {
    family::AnimateRequest wanted = request;
    family::apply_preset(*preset, wanted);
    family::apply_fitting_preset(*preset, wanted, request);
  } else {
    std::vector<fields::Assignment> assignments = fields::parse_assignments(variant.text);
    if (const auto choice = take_models(assignments, models.front())) {
      setting.models = number_of(*choice, models);
      if (const auto found = families::find_distillation(choice->folder, choice->loras)) found->apply(request);
    }
    fields::assign(request, assignments,
                   fields::all_but({"reference", "background", "poses", "pose_order", "framing", "size", "frames",
                                    "frame_interval", "conditions", "comparison", "preset"}));
    if (request.sampling.timesteps.rule == diffusion::TimestepRule::kOwn &&
        std::ranges::count(assignments, "steps", &fields::Assignment::field) > 0) {
      throw Error(ErrorKind::kUsage,
                  "steps has no effect in the variant '{}', whose timesteps are a list ({}), which says how many there "
                  "are; give timesteps instead",
                  printable(variant.text), request.sampling.timesteps.text());
    }
  }
}

/// Adds a request in all its variants, of which there is at least one.
void add_variants(const std::string& conditions, const family::AnimateRequest& request,
                  const std::vector<Variant>& variants, std::vector<ModelChoice>& models,
                  std::vector<evaluation::Setting>& settings) {
  const std::size_t first = settings.size();
  for (const Variant& variant : variants) {
    evaluation::Setting& setting = settings.emplace_back(evaluation::Setting{conditions, request, variant.text});
    vary(setting, variant, models);
    if (settings.size() > first + 1) setting.compared_with = first;
    require_few_settings(settings.size());
  }
}

/// `models`: those of the command line, to which come those that variants name.
std::vector<evaluation::Setting> settings_of(const ModelOptions& options, const ModelArguments& arguments,
                                             const family::AnimateRequest& defaults, std::vector<ModelChoice>& models) {
  std::vector<family::AnimateRequest> requests = take_shared(options.request, defaults);
  if (!arguments.variants.empty()) {
    options.request.refuse(fields::only({"preset"}), "with --variant, which says what is compared");
  }
  const std::vector<Variant> variants = arguments.variants.empty() ? std::vector<Variant>(1) : arguments.variants;
  std::vector<evaluation::Setting> settings;
  for (const std::string_view name : split(arguments.conditions, ',')) {
    for (family::AnimateRequest& request : requests) {
      request.conditions = parse_joined_conditions(std::string(name));
      add_variants(std::string(name), request, variants, models, settings);
      require_few_settings(settings.size());
    }
  }
  return settings;
}

evaluation::ModelEvaluationRequest request_of(const ModelOptions& options, const ModelArguments& arguments,
                                              std::vector<ModelChoice>& models) {
  const family::AnimateRequest defaults = families::default_request(models.front().folder, models.front().loras);
  evaluation::ModelEvaluationRequest request;
  request.reconstruction = arguments.reconstruction;
  take_people(options.people, usual_people(), defaults, request);
  if (arguments.videos) request.videos = arguments.output;
  request.open_video = [](const fs::path& path, int width, int height, double frames_per_second) {
    return open_video_writer(path, {width, height, frames_per_second});
  };
  request.settings = settings_of(options, arguments, defaults, models);
  request.check();
  return request;
}

void evaluate_model(const ModelOptions& options, Session& session) {
  const auto arguments = options.rest.taken<ModelArguments>();
  const auto machine = options.rest.taken<RuntimeArguments>();
  std::vector<ModelChoice> models{{studio::models_to_animate_with(machine.models), machine.loras}};
  const evaluation::ModelEvaluationRequest request = request_of(options, arguments, models);
  const EvaluationPlan plan{request, find_models(models, request, prepare_runtime(machine)), arguments.output, {}};
  Progress& progress = *session.reporter;
  if (machine.dry_run) return tell_evaluation_plan(plan, machine, progress);
  const OpenModels opened = open_to_evaluate(plan, "quality.json", progress);
  const evaluation::ModelEvaluation evaluation = evaluation::evaluate_model(request, opened.families, progress);
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
