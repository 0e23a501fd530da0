// unianimate evaluate model: how near a model's videos are to the truth.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "unianimate/cli/command_table.h"
#include "unianimate/cli/console.h"
#include "unianimate/cli/evaluation_arguments.h"
#include "unianimate/cli/json_reporter.h"
#include "unianimate/cli/number_list.h"
#include "unianimate/cli/request_arguments.h"
#include "unianimate/cli/runtime_arguments.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/evaluation/quality_pictures.h"
#include "unianimate/evaluation/quality_report.h"
#include "unianimate/families/families.h"
#include "unianimate/family/unianimate/model_description.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/studio/model_choice.h"

namespace unianimate::cli {

namespace fs = std::filesystem;

namespace {

/// Options as they were written.
struct ModelArguments {
  PeopleArguments people{.people = "900000-900031", .size = {}, .clip = evaluation::ModelEvaluationRequest().clip};
  std::string conditions = "reference,first-frame";
  std::string steps;
  std::string guidance;
  std::string noise_prior;
  std::string seed = "11";
  std::string output;
  bool videos = false;
  RequestArguments request;
  evaluation::ModelEvaluationRequest rest;
  RuntimeArguments runtime;
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

std::vector<evaluation::Setting> settings_of(const ModelArguments& arguments, const family::AnimateRequest& defaults) {
  family::AnimateRequest request = arguments.request.rest;
  take_sampler(arguments.request, request);
  take_windows(arguments.request, request);
  take_model_defaults(arguments.request, defaults, request);
  std::vector<evaluation::Setting> settings;
  const auto steps = arguments.steps.empty() ? std::vector{defaults.sampling.steps}
                                             : parse_numbers<std::int64_t>("--steps", arguments.steps);
  const auto guidances = arguments.guidance.empty() ? std::vector{defaults.guidance_scale}
                                                    : parse_numbers<double>("--guidance", arguments.guidance);
  const auto noise_priors = arguments.noise_prior.empty()
                                ? std::vector{defaults.noise_prior}
                                : parse_numbers<std::int64_t>("--noise-prior", arguments.noise_prior);
  const auto seeds = parse_numbers<std::uint64_t>("--seed", arguments.seed);
  for (const std::string_view name : split(arguments.conditions, ',')) {
    request.conditions = parse_joined_conditions(std::string(name));
    for (const std::int64_t count : steps) {
      request.sampling.steps = count;
      for (const double guidance : guidances) {
        request.guidance_scale = guidance;
        for (const std::int64_t noise_prior : noise_priors) {
          request.noise_prior = noise_prior;
          for (const std::uint64_t seed : seeds) {
            request.seed = seed;
            settings.push_back({std::string(name), request});
            require_few_settings(settings.size());
          }
        }
      }
    }
  }
  return settings;
}

evaluation::ModelEvaluationRequest to_request(const ModelArguments& arguments, const family::AnimateRequest& defaults) {
  evaluation::ModelEvaluationRequest request = arguments.rest;
  take_people(arguments.people, defaults, request);
  if (arguments.videos) request.videos = arguments.output;
  request.open_video = [](const fs::path& path, int width, int height, double frames_per_second) {
    return open_video_writer(path, {width, height, frames_per_second});
  };
  request.settings = settings_of(arguments, defaults);
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

void evaluate_model(const ModelArguments& arguments, Session& session) {
  const fs::path models = studio::models_to_animate_with(arguments.runtime.models);
  const evaluation::ModelEvaluationRequest request = to_request(arguments, family::default_request(models));
  const family::RuntimeOptions runtime = prepare_runtime(arguments.runtime);
  const family::ModelFiles files = family::find_model_files(models);
  if (arguments.runtime.dry_run) {
    return tell_evaluation_plan({request, files, runtime, arguments.output, {}}, arguments.runtime, *session.reporter);
  }
  const fs::path output = arguments.output;
  prepare_evaluation_output(output, "quality.json");
  studio::tell_models(models, *session.reporter);
  session.reporter->note(runtime.compute.reason);
  const evaluation::ModelEvaluation evaluation =
      evaluation::evaluate_model(request, *family::open_family(files, runtime), *session.reporter);
  write_results(evaluation, output, *session.reporter);
  if (arguments.runtime.json) {
    nlohmann::ordered_json event{{"event", "quality"}, {"output", output.string()}};
    event.update(evaluation::quality_json(evaluation));
    return print_json_line(event);
  }
  if (!arguments.runtime.quiet) print(stdout, "{}", evaluation::quality_table(evaluation));
  print(stdout, "{}\n", printable((output / "quality.md").string(), kMessageBytes));
}

void add_list_option(CLI::App& command, const std::string& name, std::string& value, const std::string& description) {
  command.add_option(name, value, description)->capture_default_str()->type_name("LIST")->group("Settings");
}

}  // namespace

CommandWork add_evaluate_model_command(CLI::App& command, Session& session) {
  const auto arguments = std::make_shared<ModelArguments>();
  add_people_options(command, arguments->people);
  command.add_flag("--reconstruction", arguments->rest.reconstruction,
                   "Also measure what the autoencoder alone makes of the true frames");
  command.add_flag("--videos", arguments->videos, "Also write a video of each person: reference, pose, result, truth");
  command.add_option("--output,-o", arguments->output, "Folder for the results")->type_name("DIR")->required();
  add_list_option(command, "--conditions", arguments->conditions, "Sets of conditions");
  add_list_option(command, "--steps", arguments->steps, "Sampling steps (default: what suits the model)");
  add_list_option(command, "--guidance", arguments->guidance,
                  "How strongly the conditions act (default: what suits the model)");
  add_list_option(command, "--noise-prior", arguments->noise_prior,
                  "Timesteps of the noise to start from (default: what suits the model)");
  add_list_option(command, "--seed", arguments->seed, "Starts of the random numbers");
  add_sampler_options(command, arguments->request);
  add_window_options(command, arguments->request);
  add_runtime_options(command, arguments->runtime);
  command.footer(kExamples);
  return {[arguments, &session] { evaluate_model(*arguments, session); }, &arguments->runtime.json,
          &arguments->runtime.quiet};
}

}  // namespace unianimate::cli
