#include "unianimate/training/training_state.h"

#include <c10/core/GradMode.h>

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/error.h"

namespace unianimate::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStep = "training.step";
constexpr const char* kBest = "training.best_validation";
constexpr const char* kSeconds = "training.seconds";
constexpr const char* kSummedSteps = "training.summed_steps";
constexpr const char* kSum = "training.sum.";
constexpr const char* kSettings = "training.settings";

/// What the metadata hold under `key`.
template <typename T>
std::optional<T> find_number(const checkpoint::Checkpoint& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) return std::nullopt;
  const std::string& text = found->second;
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// The same, finite and not below `lowest`.
template <typename T>
T number(const checkpoint::Checkpoint& file, const std::string& key, T lowest) {
  constexpr T kMost = static_cast<T>(std::int64_t{1} << 40);
  const std::optional<T> value = find_number<T>(file, key);
  if (value && *value >= lowest && *value <= kMost) return *value;
  throw Error(ErrorKind::kInput,
              "{} is not the state of a training: it has no {}, or one that cannot be; begin anew in another output "
              "folder",
              printable(file.file_name()), printable(key));
}

/// States of versions that knew no other do not tell it.
constexpr std::string_view kUsualOptimizer = "optimizer.kind: adamw";

void require_same_settings(const std::string& file, const std::string& before, const std::string& now) {
  std::istringstream before_lines(before);
  std::istringstream now_lines(now);
  for (;;) {
    std::string was;
    std::string is;
    const bool more_before = !std::getline(before_lines, was).fail();
    const bool more_now = !std::getline(now_lines, is).fail();
    if (!more_before && !more_now) return;
    if (was == is || (!more_before && is == kUsualOptimizer)) continue;
    throw Error(ErrorKind::kUsage,
                "the training in {} was begun with '{}', but now it says '{}'; change it back, or give another output "
                "folder",
                printable(file), printable(was), printable(is));
  }
}

}  // namespace

void save_training_state(const fs::path& file, const TrainingProgress& progress, const NamedTensors& optimizer) {
  checkpoint::Metadata metadata{{kStep, fmt::format("{}", progress.step)},
                                {kSeconds, fmt::format("{}", progress.seconds)},
                                {kSummedSteps, fmt::format("{}", progress.summed_steps)},
                                {kSettings, progress.settings}};
  for (const auto& [name, sum] : progress.sums) metadata.emplace(kSum + name, fmt::format("{}", sum));
  if (progress.has_best) metadata.emplace(kBest, fmt::format("{}", progress.best_validation));
  checkpoint::save_safetensors(file, optimizer, checkpoint::marked(std::move(metadata)));
}

TrainingProgress load_training_state(const fs::path& path, const std::string& settings, const NamedTensors& optimizer) {
  const checkpoint::Checkpoint file = checkpoint::open_checkpoint(path);
  TrainingProgress progress;
  progress.step = number<std::int64_t>(file, kStep, 0);
  progress.seconds = number<double>(file, kSeconds, 0);
  progress.summed_steps = number<std::int64_t>(file, kSummedSteps, 0);
  for (const auto& [key, text] : file.metadata()) {
    if (!key.starts_with(kSum)) continue;
    // A norm of gradients may be no number in a training that goes on.
    const double unknown = std::numeric_limits<double>::quiet_NaN();
    progress.sums[key.substr(std::strlen(kSum))] = find_number<double>(file, key).value_or(unknown);
  }
  progress.has_best = file.metadata().contains(kBest);
  if (progress.has_best) progress.best_validation = number<double>(file, kBest, std::numeric_limits<double>::lowest());
  const auto before = file.metadata().find(kSettings);
  require_same_settings(file.file_name(), before == file.metadata().end() ? "" : before->second, settings);
  progress.settings = settings;
  const c10::NoGradGuard no_gradients;
  checkpoint::load_into(file, optimizer).require_ok();
  return progress;
}

}  // namespace unianimate::training
