#include "unianimate/evaluation/long_video_strategy.h"

#include <charconv>

#include "unianimate/core/error.h"
#include "unianimate/pipeline/segments.h"

namespace unianimate::evaluation {

namespace {

/// The next part of `rest`, which is taken off it.
std::string_view take_part(std::string_view& rest) {
  const std::size_t end = rest.find('-');
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = problem == std::errc{} && rest == text.data() + text.size() && number > 0;
  return is_number ? std::optional(number) : std::nullopt;
}

/// Of segments alone.
bool take_chain_part(std::string_view part, family::ChainOptions& chain) {
  constexpr std::string_view kOverlap = "overlap";
  if (part == "color") {
    chain.color_match = true;
  } else if (const auto size = number_of(part)) {
    chain.segment_size = *size;
  } else if (const auto overlap = part.starts_with(kOverlap) ? number_of(part.substr(kOverlap.size())) : std::nullopt) {
    chain.segment_overlap = *overlap;
  } else {
    return false;
  }
  return true;
}

bool is_schedule(std::string_view part) {
  return part == "published" || part == "even" || part == "moving";
}

}  // namespace

LongVideoStrategy LongVideoStrategy::parse(std::string_view name) {
  LongVideoStrategy strategy;
  strategy.name = name;
  std::string_view rest = name;
  const std::string_view first = take_part(rest);
  if (first == "chain") {
    strategy.chain.emplace();
  } else if (is_schedule(first)) {
    strategy.schedule = fields::parse_word<diffusion::ContextSchedule>("the context schedule", first);
  } else {
    throw Error(ErrorKind::kUsage, "a strategy begins with published, even, moving or chain, found '{}'",
                printable(name));
  }
  while (!rest.empty()) {
    const std::string_view part = take_part(rest);
    if (part == "pyramid" || part == "hann") {
      strategy.weights = fields::parse_word<diffusion::ContextWeights>("the kind of context weights", part);
    } else if (strategy.chain && is_schedule(part)) {
      strategy.schedule = fields::parse_word<diffusion::ContextSchedule>("the context schedule", part);
    } else if (!strategy.chain || !take_chain_part(part, *strategy.chain)) {
      throw Error(ErrorKind::kUsage, "the part '{}' of the strategy '{}' is not known; after {}", printable(part),
                  printable(name),
                  strategy.chain ? "chain there may be color, a number of frames, overlapN, published, even, moving, "
                                   "pyramid and hann"
                                 : "the place of windows there may be pyramid or hann");
    }
  }
  if (name.ends_with('-')) {
    throw Error(ErrorKind::kUsage, "the strategy '{}' ends with '-'; leave it away", printable(name));
  }
  return strategy;
}

void LongVideoStrategy::apply(family::AnimateRequest& request) const {
  request.context.schedule = schedule;
  request.context.weights = weights;
  request.chain = chain;
}

std::vector<diffusion::ContextWindow> final_windows(std::int64_t frames, const family::AnimateRequest& request) {
  const std::int64_t steps = request.sampling.step_count();
  std::vector<diffusion::ContextWindow> all;
  for (const pipeline::Segment& segment : pipeline::video_segments(frames, request)) {
    for (const auto& window : diffusion::context_windows(segment.size, request.context, steps - 1)) {
      all.push_back({segment.first + window.first, window.size});
    }
  }
  return all;
}

}  // namespace unianimate::evaluation
