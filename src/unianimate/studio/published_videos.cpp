#include "unianimate/studio/published_videos.h"

#include <ATen/ATen.h>

#include <cstdint>
#include <system_error>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/core/path_hint.h"
#include "unianimate/families/families.h"
#include "unianimate/studio/job_checks.h"
#include "unianimate/studio/model_choice.h"
#include "unianimate/studio/studio.h"
#include "unianimate/studio/video_production.h"

namespace unianimate::studio {

namespace fs = std::filesystem;

namespace {

/// For each file whether it is there, as the first process sees it.
std::vector<bool> which_exist(const std::vector<VideoJob>& jobs, distributed::ProcessGroup& group) {
  const at::Tensor there = at::zeros({static_cast<std::int64_t>(jobs.size())}, at::kByte);
  std::error_code ignored;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    there[static_cast<std::int64_t>(i)] = fs::exists(jobs[i].output, ignored) ? 1 : 0;
  }
  group.broadcast({there});
  const auto* first = there.data_ptr<std::uint8_t>();
  return std::vector<bool>(first, first + there.numel());
}

/// Without those that are to be skipped.
std::vector<VideoJob> list_videos(const PublishedOrder& order, const PublishedConfig& config,
                                  distributed::ProcessGroup& group, Progress& progress) {
  std::vector<VideoJob> all;
  for (ConfiguredAnimation& animation : list_animations(config)) {
    VideoJob job{std::move(animation.request), order.output_folder / animation.file_name, config.frames_per_second,
                 order.threads};
    if (order.result_only) job.request.comparison = false;
    job.request.background = order.background;
    job.request.decoder = order.decoder;
    job.interpolate = order.interpolate;
    all.push_back(std::move(job));
  }
  if (!order.skip_existing) return all;
  const std::vector<bool> there = which_exist(all, group);
  std::vector<VideoJob> jobs;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (there[i]) {
      progress.note(fmt::format("{} is there already and is skipped", all[i].output.string()));
    } else {
      jobs.push_back(std::move(all[i]));
    }
  }
  return jobs;
}

/// Of the autoencoder, beside which it lies; configurations do not name it. Empty where there is none.
fs::path find_small_decoder(const fs::path& autoencoder) {
  const fs::path folder = autoencoder.parent_path();
  for (const family::PublishedFile& file : families::list_files(folder.empty() ? fs::path(".") : folder)) {
    if (file.role == "small decoder" && file.found) return *file.found;
  }
  return {};
}

/// Of the configuration, or of a folder where the order or nobody names them.
family::ModelFiles find_models(const PublishedOrder& order, const PublishedConfig& config) {
  family::ModelFiles files = config.files;
  const bool names_none = files.unet.empty() && files.clip.empty() && files.autoencoder.empty();
  if (names_none || !order.models.empty()) return families::find_files(models_folder(order.models));
  const std::string name = printable(order.config.string());
  const auto require = [&](const fs::path& file, const char* key) {
    if (file.empty()) {
      throw Error(ErrorKind::kUsage, "{} lacks {}; add it, or give the folder of the models with --models", name, key);
    }
    std::error_code ignored;
    if (!fs::exists(file, ignored)) {
      throw Error(ErrorKind::kInput,
                  "there is no {} ({} of {}); put the published checkpoint there, or give the folder of the models "
                  "with --models, or the folder where relative paths begin with --root{}",
                  printable(file.string()), key, name, path_hint(file));
    }
  };
  require(files.unet, "test_model");
  require(files.clip, "embedder.pretrained");
  require(files.autoencoder, "auto_encoder.pretrained");
  files.small_decoder = find_small_decoder(files.autoencoder);
  return files;
}

/// Makes the output folder and settles what each video is called there. Where the videos are only planned, the nearest
/// folder that exists is tried instead of making one.
void prepare_outputs(const PublishedOrder& order, const family::ModelFiles& files,
                     const family::RuntimeOptions& runtime, bool planned, std::vector<VideoJob>& jobs,
                     Progress& progress) {
  const fs::path& folder = order.output_folder;
  std::error_code ignored;
  // Of a file in its place making the folder says so, and changes nothing.
  if (!planned || (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored))) make_folder(folder);
  Inputs inputs;
  add_inputs(jobs, files, runtime, inputs);
  for (VideoJob& job : jobs) {
    job.output = own_place(job.output, kMark, inputs, progress);
    VideoJob tried = job;
    if (planned) tried.output = existing_folder(folder) / job.output.filename();
    check_job_output(tried, inputs);
  }
}

/// What is found out before the models are opened.
struct Published {
  PublishedConfig config;
  std::vector<VideoJob> jobs;  ///< empty: all are there
  family::ModelFiles files;
};

Published prepare(const PublishedOrder& order, const family::RuntimeOptions& runtime, bool planned,
                  distributed::ProcessGroup& group, Progress& progress) {
  Published published{read_published_config(order.config, order.options), {}, {}};
  for (const std::string& warning : published.config.warnings) progress.note(warning);
  published.jobs = list_videos(order, published.config, group, progress);
  if (published.jobs.empty()) return published;
  check_jobs(published.jobs);
  published.files = find_models(order, published.config);
  if (is_first(&group)) prepare_outputs(order, published.files, runtime, planned, published.jobs, progress);
  return published;
}

Studio open_models(const Published& published, const family::RuntimeOptions& runtime,
                   distributed::ProcessGroup& group) {
  Studio studio = Studio::open(published.files, runtime, &group);
  check_expected_sizes(published.config, studio.models().sizes());
  return studio;
}

}  // namespace

std::vector<FinishedVideo> make_published(const PublishedOrder& order, const family::RuntimeOptions& runtime,
                                          distributed::ProcessGroup& group, JobObserver& observer) {
  const Published published = prepare(order, runtime, false, group, observer);
  if (published.jobs.empty()) return {};
  return open_models(published, runtime, group).make(published.jobs, order.keeping, observer);
}

void plan_published(const PublishedOrder& order, const family::RuntimeOptions& runtime,
                    distributed::ProcessGroup& group, JobObserver& observer) {
  const Published published = prepare(order, runtime, true, group, observer);
  if (!published.jobs.empty()) open_models(published, runtime, group).plan(published.jobs, order.keeping, observer);
}

}  // namespace unianimate::studio
