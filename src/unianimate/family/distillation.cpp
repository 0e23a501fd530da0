#include "unianimate/family/distillation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/error.h"

namespace unianimate::family {

namespace {

using Metadata = std::map<std::string, std::string>;
using diffusion::TimestepList;
using diffusion::TimestepRule;

/// The timesteps that diffusion::TimestepRule::kDistillation knows: 19, 39, … 999.
constexpr std::int64_t kGrid = 50;
constexpr std::int64_t kStride = diffusion::kTimesteps / kGrid;
constexpr std::int64_t kUsualSteps = 4;
constexpr double kMostGuidance = 100;

/// The metadata's word for a way of distilling, and what samples it.
struct Kind {
  std::string_view name;
  std::string_view sampler;
  bool own_timesteps;  ///< the edges of its phases
};
constexpr std::array kKinds{Kind{"lcm", "lcm", false}, Kind{"tcd", "tcd", false}, Kind{"phased", "ddim", true}};

/// From the last timestep on, the edges between `phases` phases: grid entry floor(kGrid · j / phases), whose level is
/// that of the entry before it.
TimestepList phase_edges(std::int64_t phases) {
  TimestepList list{.rule = TimestepRule::kOwn};
  list.numbers.push_back(diffusion::kTimesteps - 1);
  for (std::int64_t j = phases - 1; j > 0; --j) {
    list.numbers.push_back(kStride * (kGrid * j / phases) - 1);
  }
  return list;
}

class Reader {
 public:
  Reader(const Metadata& metadata, const std::filesystem::path& file) : metadata_(metadata), file_(file) {}

  [[nodiscard]] const std::string* find(const std::string& key) const {
    const auto found = metadata_.find(key);
    return found != metadata_.end() ? &found->second : nullptr;
  }

  /// A number that is all of the text and lies in the range; `otherwise` where there is none.
  template <typename Number>
  [[nodiscard]] Number number(const std::string& key, Number otherwise, Number least, Number most) const {
    const std::string* text = find(key);
    if (text == nullptr) return otherwise;
    Number value{};
    const char* const end = text->data() + text->size();
    const auto [rest, problem] = std::from_chars(text->data(), end, value);
    if (problem == std::errc() && rest == end && least <= value && value <= most) return value;
    refuse(key, least == most ? fmt::format("{}", least) : fmt::format("a number from {} to {}", least, most));
  }

  [[noreturn]] void refuse(const std::string& key, std::string_view expected) const {
    throw Error(ErrorKind::kInput,
                "{}: its metadata say that it is distilled, with {} '{}', and {} is expected; use a file that this "
                "version knows, or remove 'sampler' from its metadata",
                printable(file_.string()), key, printable(*find(key)), expected);
  }

 private:
  const Metadata& metadata_;
  const std::filesystem::path& file_;
};

}  // namespace

std::optional<Distillation> read_distillation(const checkpoint::Checkpoint& checkpoint,
                                              const std::filesystem::path& file) {
  const Reader reader(checkpoint.metadata(), file);
  const std::string* const name = reader.find("sampler");
  if (name == nullptr || reader.find("grid") == nullptr) return std::nullopt;
  const auto* const kind = std::ranges::find(kKinds, std::string_view(*name), &Kind::name);
  if (kind == kKinds.end()) reader.refuse("sampler", "lcm, tcd or phased");
  static_cast<void>(reader.number("grid", kGrid, kGrid, kGrid));
  Distillation distillation;
  distillation.name = *name;
  distillation.file = file;
  distillation.sampling.sampler = kind->sampler;
  distillation.sampling.steps = reader.number("steps", kUsualSteps, std::int64_t{1}, kGrid);
  distillation.sampling.timesteps = kind->own_timesteps ? phase_edges(distillation.sampling.steps)
                                                        : TimestepList{.rule = TimestepRule::kDistillation};
  distillation.guidance = reader.number("guidance", 1.0, 0.0, kMostGuidance);
  return distillation;
}

void Distillation::apply(AnimateRequest& request) const {
  request.sampling.sampler = sampling.sampler;
  request.sampling.steps = sampling.steps;
  request.sampling.timesteps = sampling.timesteps;
  request.guidance_scale = 1;
}

std::string Distillation::sentence() const {
  return fmt::format(
      "{} says that it is distilled ({}, {} steps, its teacher's guidance {}): where nothing else is said, the sampler "
      "is {}, timesteps {}, steps {}, guidance 1",
      printable(file.string()), name, sampling.steps, guidance, sampling.sampler, sampling.timesteps.text(),
      sampling.steps);
}

}  // namespace unianimate::family
