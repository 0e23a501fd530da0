// What a checkpoint or a LoRA says in its metadata of how it is to be sampled, because it was distilled to few steps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/family/request.h"

namespace unianimate::checkpoint {
class Checkpoint;
}  // namespace unianimate::checkpoint

namespace unianimate::family {

/// Learnt from a teacher with guidance, so that it is asked without.
struct Distillation {
  diffusion::SamplerOptions sampling;    ///< sampler, timesteps and steps that it was distilled for
  std::string name;                      ///< of the sampler in the metadata: "lcm", "tcd" or "phased"
  double guidance = 1;                   ///< of its teacher
  std::vector<ConditionSet> conditions;  ///< that it was distilled with; none: nothing is known of them
  std::string base;  ///< checkpoint::weights_hash() of the file that a LoRA is for; empty: nothing is known of it
  std::filesystem::path file;

  /// Asks for the sampling that suits it.
  void apply(AnimateRequest& request) const;
  /// Throws Error(kUsage) where the request has conditions that it was not distilled with. `between`: what stands
  /// between the names of a set where they are asked for.
  void require_conditions(const AnimateRequest& request, std::string_view between = ",") const;
  /// What read_distillation() reads.
  [[nodiscard]] std::map<std::string, std::string> metadata() const;
  /// For people: which file was distilled for what.
  [[nodiscard]] std::string sentence() const;
};

/// Distilled for `steps` steps, 1 … 50, of the sampler that is called `name` in metadata.
Distillation make_distillation(std::string_view name, std::int64_t steps);

/// Of a safetensors file whose metadata have "sampler" (lcm, tcd or phased) and "grid", the number of timesteps that it
/// was distilled on; "steps", 4 where they say nothing, and "guidance", the teacher's; "conditions", sets of names like
/// "image,randomref,dwpose" with ';' between them, and "base". None where one of the first two
/// is missing. Throws Error(kInput), naming file, key and what was expected, for values that are none of these.
std::optional<Distillation> read_distillation(const checkpoint::Checkpoint& checkpoint,
                                              const std::filesystem::path& file);

}  // namespace unianimate::family
