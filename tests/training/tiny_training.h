// A training small enough for a test.
#pragma once

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/training/trainer.h"

namespace unianimate::training::testing {

namespace fs = std::filesystem;

/// Models of a few thousand parameters.
inline void write_tiny_sizes(const fs::path& path) {
  std::ofstream(path) << R"({
    "unet": {"dim": 8, "head_dim": 4, "context_dim": 8, "dim_mult": [1, 2], "num_res_blocks": 1, "num_heads": 2,
             "num_tokens": 2, "concat_dim": 4, "norm_groups": 4},
    "autoencoder": {"ch": 8, "ch_mult": [1, 2, 2], "num_res_blocks": 1, "z_channels": 4, "norm_groups": 4,
                    "scale_factor": 1.0},
    "clip": {"embed_dim": 8,
             "vision": {"width": 8, "layers": 1, "heads": 2, "mlp_ratio": 2, "image_size": 16, "patch_size": 8},
             "text": {"width": 8, "layers": 2, "heads": 1, "context_length": 4, "vocab_size": 3}}})";
}

inline std::string autoencoder_yaml(const std::string& output, std::int64_t steps, std::int64_t microbatches = 1) {
  return fmt::format(R"(
task: autoencoder
output: {}
model: {{sizes: model.json}}
size: [32, 48]
steps: {}
batch_size: 2
microbatches: {}
data: {{count: 64}}
validation: {{count: 32}}
optimizer: {{learning_rate: 4.0e-3, beta2: 0.98, warmup_steps: 5, ema_decay: 0.9}}
log_every: 1
validate_every: 5
sample_every: 0
save_every: 4
)",
                     output, steps, microbatches);
}

inline std::string small_decoder_yaml(const std::string& output, std::int64_t steps, const std::string& model = "ae") {
  return fmt::format(R"(
task: small_decoder
output: {}
model: {{start: {}/model}}
size: [32, 48]
steps: {}
batch_size: 2
data: {{count: 64}}
validation: {{count: 8}}
loss: {{crops: [{{until: 0.5, size: [16, 16]}}]}}
optimizer: {{learning_rate: 4.0e-3, beta2: 0.98, warmup_steps: 5, ema_decay: 0.9}}
log_every: 1
validate_every: 20
sample_every: 0
save_every: 4
)",
                     output, model, steps);
}

/// What trainings with clips have in common; each step's loss is logged.
inline constexpr const char* kClipsYaml = R"(size: [32, 48]
microbatches: 2
data: {count: 4, coherent: 3, scattered: 2}
validation: {count: 2, coherent: 3, scattered: 2}
log_every: 1
validate_every: 0
sample_every: 0)";

inline std::string unet_yaml(const std::string& output, std::int64_t steps, const std::string& model,
                             const std::string& more = "") {
  return fmt::format(R"(
task: unet
output: {}
model: {}
{}
steps: {}
batch_size: 1
loss: {{frames: 3}}
optimizer: {{learning_rate: 4.0e-3, warmup_steps: 5, ema_decay: 0.9}}
save_every: 4
{})",
                     output, model, kClipsYaml, steps, more);
}

/// A student of the UNet in unet/model. `distil` continues the section.
inline std::string distil_yaml(const std::string& output, std::int64_t steps, const std::string& distil,
                               const std::string& more = "") {
  return fmt::format(R"(
task: distil
output: {}
model: {{start: unet/model}}
{}
steps: {}
batch_size: 2
distil: {{frames: 3{}}}
save_every: 2
{})",
                     output, kClipsYaml, steps, distil, more);
}

/// Cancels when so many steps are done.
class StopAfter : public Progress {
 public:
  explicit StopAfter(std::int64_t steps) : steps_(steps) {}
  void step(std::int64_t done) override { done_ = done; }
  [[nodiscard]] bool cancelled() const override { return done_ >= steps_; }

 private:
  std::int64_t steps_;
  std::int64_t done_ = 0;
};

inline TrainingReport run(const std::string& yaml, const fs::path& root, Progress& progress,
                          const pose::PoseSourceMaker& poses = {}) {
  const auto group = distributed::ProcessGroup::from_environment(at::kCPU);
  return train(parse_train_config(yaml, "test.yaml", root), Compute{}, *group, progress, poses);
}
inline TrainingReport run(const std::string& yaml, const fs::path& root) {
  Progress silent;
  return run(yaml, root, silent);
}

/// A folder with model.json, in which trainings run on one thread: such small models are slower with more.
class TinyTraining : public ::testing::Test {
 protected:
  TinyTraining() {
    at::set_num_threads(1);
    write_tiny_sizes(root() / "model.json");
  }
  const fs::path& root() { return folder_.path(); }
  std::string refusal(const std::string& yaml) {
    try {
      run(yaml, root());
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }

 private:
  unianimate::testing::TemporaryFolder folder_;
};

/// The number of this name of every line of the log that has it, by step.
inline std::vector<double> logged_in(const fs::path& file, const std::string& name) {
  std::vector<double> all;
  std::ifstream log(file);
  for (std::string line; std::getline(log, line);) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    if (entry.contains(name)) all.push_back(entry[name].get<double>());
  }
  return all;
}
inline std::vector<double> logged(const fs::path& folder, const std::string& name) {
  return logged_in(folder / "log.jsonl", name);
}
inline std::vector<double> losses(const fs::path& folder) {
  return logged(folder, "loss");
}

}  // namespace unianimate::training::testing
