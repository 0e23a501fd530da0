// unianimate evaluate model: how near a model's videos are to the truth.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/evaluation_arguments.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/diffusion/sampling_fields.h"
#include "unianimate/evaluation/quality_pictures.h"
#include "unianimate/evaluation/quality_report.h"
#include "unianimate/families/families.h"
#include "unianimate/family/request_fields.h"
#include "unianimate/fields/command_line.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"
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

constexpr const char* kExamples = R"(Examples:
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

void write_results(const evaluation::ModelEvaluation& evaluation, const fs::path& folder, Progress& progress) {
  const auto place = [&](const std::string& name, std::string_view mark) {
    return own_place(folder / name, mark, {}, progress);
  };
  write_file_atomically(place("quality.md", kMark), evaluation::quality_markdown(evaluation));
  write_file_atomically(place("quality.json", kMark), evaluation::quality_json(evaluation).dump(2) + "\n");
  write_png(place("contact_sheet.png", kPictureMark), evaluation::quality_contact_sheet(evaluation));
  for (const evaluation::NamedPicture& plot : evaluation::quality_plots(evaluation)) {
    write_png(place(plot.name + ".png", kPictureMark), plot.picture);
  }
}

void evaluate_model(const ModelOptions& options, Session& session) {
  const auto arguments = options.rest.taken<ModelArguments>();
  const auto machine = options.rest.taken<RuntimeArguments>();
  const fs::path models = studio::models_to_animate_with(machine.models);
  const evaluation::ModelEvaluationRequest request = request_of(options, arguments, families::default_request(models));
  const family::RuntimeOptions runtime = prepare_runtime(machine);
  const family::ModelFiles files = families::find_files(models);
  if (machine.dry_run) {
    return tell_evaluation_plan({request, files, runtime, arguments.output, {}}, machine, *session.reporter);
  }
  const fs::path output = arguments.output;
  prepare_evaluation_output(output, "quality.json");
  studio::tell_models(models, *session.reporter);
  session.reporter->note(runtime.compute.reason);
  const evaluation::ModelEvaluation evaluation =
      evaluation::evaluate_model(request, *families::open_family(files, runtime), *session.reporter);
  write_results(evaluation, output, *session.reporter);
  if (machine.messages.json) {
    nlohmann::ordered_json event{{"event", "quality"}, {"output", output.string()}};
    event.update(evaluation::quality_json(evaluation));
    return print_json_line(event);
  }
  if (!machine.messages.quiet) print(stdout, "{}", evaluation::quality_table(evaluation));
  print(stdout, "{}\n", printable((output / "quality.md").string(), kMessageBytes));
}

}  // namespace

CommandWork add_evaluate_model_command(CLI::App& command, Session& session) {
  const auto options = std::make_shared<ModelOptions>();
  options->people.add(command, usual_people());
  options->rest.add(command, ModelArguments());
  options->request.add_lists<family::AnimateRequest>(command, {"steps", "guidance_scale", "noise_prior", "seed"});
  options->request.add(command, family::AnimateRequest(), shared_settings());
  options->rest.add(command, RuntimeArguments());
  command.footer(kExamples);
  return {[options, &session] { evaluate_model(*options, session); }, {options, &options->rest}};
}

}  // namespace unianimate::cli
