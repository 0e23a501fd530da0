#include "unianimate/cli/request_arguments.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

#include "unianimate/cli/integer_option.h"
#include "unianimate/core/error.h"

namespace unianimate::cli {

namespace {

constexpr const char* kSampling = "Sampling";

using family::AnimateRequest;

}  // namespace

void add_request_options(CLI::App& command, RequestArguments& arguments) {
  family::AnimateRequest& rest = arguments.rest;
  command.add_option("--reference", arguments.reference, "Picture of the person (JPEG, PNG, WebP, HEIC, AVIF, …)")
      ->type_name("FILE")
      ->required();
  add_background_option(command, arguments.background);
  command
      .add_option("--poses", arguments.poses,
                  "Folder of pose pictures with ref_pose.jpg, poses.json, or poses of OpenPose or ComfyUI")
      ->type_name("PATH");
  const CLI::Option* size = command
                                .add_option("--size", arguments.size,
                                            "Width x height of the video; the published models make multiples of 64")
                                ->capture_default_str()
                                ->type_name("WxH");
  command.add_option("--frames", arguments.frames, "Frames to make, or all")->capture_default_str()->type_name("N");
  const CLI::Option* interval =
      add_integer_option(command, "--interval", rest.frame_interval, "Take every so many-th pose");
  command.add_option("--seed", arguments.seed, "Start of the random numbers: the same seed gives the same video")
      ->capture_default_str()
      ->type_name("N");
  command.add_flag("--comparison", rest.comparison, "Three columns: reference, pose, result");

  const CLI::Option* steps =
      add_integer_option(command, "--steps", rest.sampling.steps, "Sampling steps; 25 to 50 are usual")
          ->group(kSampling);
  const CLI::Option* guidance =
      command.add_option("--guidance", rest.guidance_scale, "How strongly the conditions act; 1 halves the work")
          ->capture_default_str()
          ->type_name("X")
          ->group(kSampling);
  const CLI::Option* noise_prior = add_integer_option(command, "--noise-prior", rest.noise_prior,
                                                      "Timestep of the noise on the reference to start from")
                                       ->group(kSampling);
  command
      .add_option("--conditions", arguments.conditions,
                  "List of image, local_image, randomref, dwpose; or reference, or first-frame")
      ->capture_default_str()
      ->type_name("LIST")
      ->group(kSampling);

  add_sampler_options(command, arguments);
  add_window_options(command, arguments);

  const auto by_model = [&](const CLI::Option* option, auto take) {
    arguments.model_defaults.push_back({option, take});
  };
  by_model(size, [](AnimateRequest& request, const AnimateRequest& defaults) {
    request.width = defaults.width;
    request.height = defaults.height;
  });
  by_model(interval, [](AnimateRequest& request, const AnimateRequest& defaults) {
    request.frame_interval = defaults.frame_interval;
  });
  by_model(steps, [](AnimateRequest& request, const AnimateRequest& defaults) {
    request.sampling.steps = defaults.sampling.steps;
  });
  by_model(guidance, [](AnimateRequest& request, const AnimateRequest& defaults) {
    request.guidance_scale = defaults.guidance_scale;
  });
  by_model(noise_prior,
           [](AnimateRequest& request, const AnimateRequest& defaults) { request.noise_prior = defaults.noise_prior; });
}

void add_sampler_options(CLI::App& command, RequestArguments& arguments) {
  const CLI::Option* spacing =
      command
          .add_option("--timestep-spacing", arguments.timestep_spacing,
                      "leading as published, or trailing, which begins at pure noise however few the steps")
          ->capture_default_str()
          ->type_name("NAME")
          ->group(kSampling);
  arguments.model_defaults.push_back({spacing, [](AnimateRequest& request, const AnimateRequest& defaults) {
                                        request.sampling.spacing = defaults.sampling.spacing;
                                      }});
  command.add_option("--eta", arguments.rest.sampling.eta, "New noise in each step: 0 none, 1 as ancestral sampling")
      ->capture_default_str()
      ->type_name("X")
      ->group(kSampling);
  command
      .add_option("--noise-prior-order", arguments.noise_prior_order,
                  "Where the offset noise is added: short or long, as in the published programs")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(kSampling);
}

void add_window_options(CLI::App& command, RequestArguments& arguments) {
  family::AnimateRequest& rest = arguments.rest;
  const std::string windows = "Long videos and memory";
  const CLI::Option* size =
      add_integer_option(command, "--context-size", rest.context.size, "Frames in a window")->group(windows);
  const CLI::Option* overlap =
      add_integer_option(command, "--context-overlap", rest.context.overlap, "Frames that neighbouring windows share")
          ->group(windows);
  arguments.model_defaults.push_back({size, [](AnimateRequest& request, const AnimateRequest& defaults) {
                                        request.context.size = defaults.context.size;
                                      }});
  arguments.model_defaults.push_back({overlap, [](AnimateRequest& request, const AnimateRequest& defaults) {
                                        request.context.overlap = defaults.context.overlap;
                                      }});
  add_integer_option(command, "--context-batch-size", rest.context.batch_size, "Windows computed at once")
      ->group(windows);
  command
      .add_option("--context-schedule", arguments.context_schedule,
                  "Where windows lie: moving from step to step, so that no seam stays in place; even, spread without "
                  "near-duplicates; or published, where they always lie in the published program")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(windows);
  command
      .add_option("--context-weights", arguments.context_weights,
                  "How frames count where windows overlap: published (all alike), pyramid or hann (less at the edges)")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(windows);
  CLI::Option* chain =
      command
          .add_flag("--chain", arguments.chain,
                    "Make the video in segments, each of which begins with the last frames of the one before")
          ->group(windows);
  add_integer_option(command, "--segment-size", arguments.chain_options.segment_size,
                     "Frames in a segment (default: --context-size; with more there are windows in each segment)")
      ->default_str("")
      ->needs(chain)
      ->group(windows);
  add_integer_option(command, "--segment-overlap", arguments.chain_options.segment_overlap,
                     "Frames in which one segment fades into the next")
      ->needs(chain)
      ->group(windows);
  command
      .add_flag("--color-match", arguments.chain_options.color_match,
                "Hold the colours and brightness of each segment to those of the reference")
      ->needs(chain)
      ->group(windows);
  add_integer_option(command, "--decode-batch", rest.decode_batch, "Frames decoded at once")->group(windows);
}

family::AnimateRequest to_request(const RequestArguments& arguments, const family::AnimateRequest& defaults) {
  family::AnimateRequest request = arguments.rest;
  request.reference = arguments.reference;
  request.background = parse_background(arguments.background);
  request.poses = arguments.poses;
  const PictureSize size = parse_size("--size", arguments.size);
  request.width = size.width;
  request.height = size.height;
  request.max_frames = parse_frames(arguments.frames);
  request.seed = parse_seed(arguments.seed);
  take_sampler(arguments, request);
  take_windows(arguments, request);
  request.conditions = family::ConditionSet::parse(arguments.conditions);
  take_model_defaults(arguments, defaults, request);
  return request;
}

void add_background_option(CLI::App& command, std::string& background) {
  command
      .add_option(
          "--background", background,
          "Colour where the reference is transparent, such as white or #00ff00 (default: what is stored beneath)")
      ->type_name("COLOR");
}

std::optional<Color> parse_background(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return parse_color(text);
}

void take_sampler(const RequestArguments& arguments, family::AnimateRequest& request) {
  request.sampling.spacing = diffusion::parse_timestep_spacing(arguments.timestep_spacing);
  request.noise_prior_order = diffusion::parse_noise_prior_order(arguments.noise_prior_order);
}

void take_windows(const RequestArguments& arguments, family::AnimateRequest& request) {
  request.context.schedule = diffusion::parse_context_schedule(arguments.context_schedule);
  request.context.weights = diffusion::parse_context_weights(arguments.context_weights);
  if (arguments.chain) request.chain = arguments.chain_options;
}

void take_model_defaults(const RequestArguments& arguments, const family::AnimateRequest& defaults,
                         family::AnimateRequest& request) {
  for (const auto& [option, take] : arguments.model_defaults) {
    if (option->count() == 0) take(request, defaults);
  }
}

PictureSize parse_size(std::string_view option, std::string_view text) {
  const std::size_t cross = text.find('x');
  if (cross != std::string_view::npos) {
    const auto width = parse_integer<int>(text.substr(0, cross));
    const auto height = parse_integer<int>(text.substr(cross + 1));
    if (width && height) return {*width, *height};
  }
  throw Error(ErrorKind::kUsage, "{} expects width x height in pixels such as 512x768, found '{}'", option,
              printable(text));
}

std::optional<std::int64_t> parse_frames(std::string_view text) {
  if (text == "all") return std::nullopt;
  if (const auto frames = parse_integer<std::int64_t>(text)) return frames;
  throw Error(ErrorKind::kUsage, "--frames expects a number or 'all', found '{}'", printable(text));
}

double parse_frames_per_second(std::string_view option, std::string_view text) {
  double rate = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (problem == std::errc() && end == text.data() + text.size() && std::isfinite(rate)) return rate;
  throw Error(ErrorKind::kUsage, "{} expects frames a second such as 16 or 23.976, found '{}'", option,
              printable(text));
}

std::uint64_t parse_seed(std::string_view text) {
  if (const auto seed = parse_integer<std::uint64_t>(text)) return *seed;
  throw Error(ErrorKind::kUsage, "--seed expects a whole number from 0 up, found '{}'", printable(text));
}

}  // namespace unianimate::cli
