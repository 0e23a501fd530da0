// The options that say what one animation is to be, and the request they make.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/family/request.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace unianimate::cli {

/// Options as they were written. The defaults are AnimateRequest's.
struct RequestArguments {
  /// An option whose default is the model's affair.
  struct ModelDefault {
    const CLI::Option* option;
    void (*take)(family::AnimateRequest& request, const family::AnimateRequest& defaults);
  };

  std::string reference;
  std::string background;  ///< empty: what is stored beneath
  std::string poses;
  std::string size = "512x768";
  std::string frames = "32";
  std::string seed = "11";
  std::string timestep_spacing = "leading";
  std::string noise_prior_order = "short";
  std::string conditions = "image,randomref,dwpose";
  std::string context_schedule = "moving";
  std::string context_weights = "published";
  bool chain = false;
  family::ChainOptions chain_options;
  family::AnimateRequest rest;  ///< what needs no reading beyond a number or a switch
  std::vector<ModelDefault> model_defaults;
};

void add_request_options(CLI::App& command, RequestArguments& arguments);

/// Those of add_request_options() that commands share which read the others otherwise: --timestep-spacing, --eta and
/// --noise-prior-order.
void add_sampler_options(CLI::App& command, RequestArguments& arguments);
/// What the options of add_sampler_options() say. Throws Error(kUsage).
void take_sampler(const RequestArguments& arguments, family::AnimateRequest& request);
/// Context windows, chained segments and how many frames are decoded at once.
void add_window_options(CLI::App& command, RequestArguments& arguments);
/// What the options of add_window_options() say that is no plain number. Throws Error(kUsage).
void take_windows(const RequestArguments& arguments, family::AnimateRequest& request);

/// `defaults`: for what was not given and depends on the model. Throws Error(kUsage) for text that says nothing usable;
/// ranges are for AnimateRequest::check().
family::AnimateRequest to_request(const RequestArguments& arguments, const family::AnimateRequest& defaults);

/// Puts the model's defaults where options were not given.
void take_model_defaults(const RequestArguments& arguments, const family::AnimateRequest& defaults,
                         family::AnimateRequest& request);

/// --background, which chooses what shows where the reference is transparent.
void add_background_option(CLI::App& command, std::string& background);
/// Nothing where the text is empty. Throws Error(kUsage).
std::optional<Color> parse_background(std::string_view text);

struct PictureSize {
  int width = 0;
  int height = 0;
};
/// "512x768". Throws Error(kUsage) naming the option.
PictureSize parse_size(std::string_view option, std::string_view text);
/// "32", or "all" for as many as there are poses. Throws Error(kUsage).
std::optional<std::int64_t> parse_frames(std::string_view text);
/// "23.976". Throws Error(kUsage) naming the option.
double parse_frames_per_second(std::string_view option, std::string_view text);
/// "11". Throws Error(kUsage).
std::uint64_t parse_seed(std::string_view text);

}  // namespace unianimate::cli
