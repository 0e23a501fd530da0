#include "unianimate/family/distillation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "unianimate/checkpoint/checkpoint.h"
#include "unianimate/core/error.h"
#include "unianimate/diffusion/consistency.h"

namespace unianimate::family {

namespace {

using Metadata = std::map<std::string, std::string>;
using diffusion::TimestepList;
using diffusion::TimestepRule;

constexpr std::int64_t kGrid = diffusion::kConsistencyGrid;
constexpr std::int64_t kUsualSteps = 4;
constexpr double kMostGuidance = 100;
constexpr char kBetweenSets = ';';

/// The metadata's word for a way of distilling, and what samples it.
struct Kind {
  std::string_view name;
  std::string_view sampler;
  bool own_timesteps;  ///< the edges of its phases
};
constexpr std::array kKinds{Kind{"lcm", "lcm", false}, Kind{"tcd", "tcd", false}, Kind{"phased", "ddim", true}};

/// From the last timestep on, the edges between the phases.
TimestepList phase_edges(std::int64_t phases) {
  TimestepList list{.rule = TimestepRule::kOwn};
  list.numbers.push_back(diffusion::kTimesteps - 1);
  for (std::int64_t j = phases - 1; j > 0; --j) {
    list.numbers.push_back(diffusion::consistency_timestep(diffusion::phase_edge(j, phases) - 1));
  }
  return list;
}

std::string names_of(const std::vector<ConditionSet>& sets, const std::string& separator) {
  std::string names;
  for (const ConditionSet& set : sets) names += (names.empty() ? "" : separator) + set.names();
  return names;
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

  [[nodiscard]] std::vector<ConditionSet> condition_sets(const std::string& key) const {
    constexpr std::size_t kMostBytes = 1000;
    std::vector<ConditionSet> sets;
    try {
      std::string_view rest = *find(key);
      for (bool last = rest.size() > kMostBytes; !last;) {
        const std::size_t end = rest.find(kBetweenSets);
        sets.push_back(ConditionSet::parse(rest.substr(0, end)));
        last = end == std::string_view::npos;
        if (!last) rest.remove_prefix(end + 1);
      }
    } catch (const Error&) {
      sets.clear();
    }
    if (sets.empty()) refuse(key, "sets of image, local_image, randomref, dwpose with ';' between them");
    return sets;
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

Distillation make_distillation(std::string_view name, std::int64_t steps) {
  const Kind& kind = *std::ranges::find(kKinds, name, &Kind::name);
  Distillation distillation;
  distillation.name = name;
  distillation.sampling.sampler = kind.sampler;
  distillation.sampling.steps = steps;
  distillation.sampling.timesteps =
      kind.own_timesteps ? phase_edges(steps) : TimestepList{.rule = TimestepRule::kDistillation};
  return distillation;
}

std::optional<Distillation> read_distillation(const checkpoint::Checkpoint& checkpoint,
                                              const std::filesystem::path& file) {
  const Reader reader(checkpoint.metadata(), file);
  const std::string* const name = reader.find("sampler");
  if (name == nullptr || reader.find("grid") == nullptr) return std::nullopt;
  const auto* const kind = std::ranges::find(kKinds, std::string_view(*name), &Kind::name);
  if (kind == kKinds.end()) reader.refuse("sampler", "lcm, tcd or phased");
  static_cast<void>(reader.number("grid", kGrid, kGrid, kGrid));
  Distillation distillation = make_distillation(*name, reader.number("steps", kUsualSteps, std::int64_t{1}, kGrid));
  distillation.file = file;
  if (reader.find("conditions") != nullptr) distillation.conditions = reader.condition_sets("conditions");
  if (const std::string* base = reader.find("base")) distillation.base = *base;
  distillation.guidance = reader.number("guidance", 1.0, 0.0, kMostGuidance);
  return distillation;
}

void Distillation::apply(AnimateRequest& request) const {
  request.sampling.sampler = sampling.sampler;
  request.sampling.steps = sampling.steps;
  request.sampling.timesteps = sampling.timesteps;
  request.guidance_scale = 1;
}

void Distillation::require_conditions(const AnimateRequest& request, std::string_view between) const {
  const std::set<Condition> asked(request.conditions.conditions().begin(), request.conditions.conditions().end());
  const auto same = [&](const ConditionSet& set) {
    return std::set<Condition>(set.conditions().begin(), set.conditions().end()) == asked;
  };
  if (conditions.empty() || std::ranges::any_of(conditions, same)) return;
  throw Error(
      ErrorKind::kUsage,
      "{} was distilled with the conditions {} and knows no others, but {} are asked for; give --conditions {}, "
      "or leave the file away",
      printable(file.string()), names_of(conditions, " or "), request.conditions.names(),
      conditions.front().names(between));
}

std::map<std::string, std::string> Distillation::metadata() const {
  std::map<std::string, std::string> all{{"sampler", name},
                                         {"grid", fmt::format("{}", kGrid)},
                                         {"steps", fmt::format("{}", sampling.steps)},
                                         {"guidance", fmt::format("{}", guidance)}};
  if (!conditions.empty()) all["conditions"] = names_of(conditions, std::string(1, kBetweenSets));
  if (!base.empty()) all["base"] = base;
  return all;
}

std::string Distillation::sentence() const {
  return fmt::format(
      "{} says that it is distilled ({}, {} steps, its teacher's guidance {}{}): where nothing else is said, the "
      "sampler is {}, timesteps {}, steps {}, guidance 1",
      printable(file.string()), name, sampling.steps, guidance,
      conditions.empty() ? "" : ", conditions " + names_of(conditions, " or "), sampling.sampler,
      sampling.timesteps.text(), sampling.steps);
}

}  // namespace unianimate::family
