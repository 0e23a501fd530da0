// Every option of every command does something. The options are taken from the parser itself, so that one that is added
// later has to be tried here, too.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <tuple>

#include "cli/command.h"
#include "cli/program.h"
#include "support/file_content.h"
#include "support/rule_models.h"
#include "support/temporary_folder.h"
#include "training/tiny_training.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/cli/session.h"
#include "unianimate/core/threads.h"
#include "unianimate/families/families.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/image_writer.h"
#include "unianimate/pose/format/openpose_json.h"
#include "unianimate/pose/format/pose_json.h"
#include "unianimate/puppet/clip_poses.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/worker/job_request.h"
#include "unianimate/studio/job_folder.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::TemporaryFolder;

// ---- the parser

/// "animate --seed", "job show job" -> the option
std::map<std::string, const CLI::Option*> all_options(const CLI::App& app, const std::string& command = "") {
  std::map<std::string, const CLI::Option*> options;
  for (const CLI::Option* option : app.get_options()) {
    options[command + (command.empty() ? "" : " ") +
            (option->get_lnames().empty() ? option->get_single_name() : "--" + option->get_lnames().front())] = option;
  }
  for (const CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; })) {
    options.merge(all_options(*part, command + (command.empty() ? "" : " ") + part->get_name()));
  }
  return options;
}

std::set<std::string> names_of_all_options() {
  CLI::App app("", "unianimate");
  cli::Session session;
  cli::add_commands(app, session);
  std::set<std::string> names;
  for (const auto& [name, option] : all_options(app)) names.insert(name);
  return names;
}

/// What only matters to a terminal, whatever the command.
bool is_for_terminals(const std::string& name) {
  static const std::set<std::string> kNames{"--help", "--json", "--quiet", "--version"};
  return kNames.contains(name.substr(name.rfind(' ') + 1));
}

/// What changes how long it takes and nothing that could be seen, and what only damaged weights show (tried with such
/// in foreign_checkpoints_test.cpp).
const std::set<std::string>& changes_nothing_to_see() {
  static const std::set<std::string> kNames{"align --threads",
                                            "train --threads",
                                            "animate --allow-nonfinite",
                                            "run --allow-nonfinite",
                                            "evaluate model --allow-nonfinite",
                                            "evaluate long --allow-nonfinite",
                                            "models convert --allow-nonfinite",
                                            "worker --allow-nonfinite",
                                            "worker --threads",
                                            "worker --latent-memory",
                                            "worker --id",
                                            "worker --idle-exit",
                                            "worker --parent",
                                            "train --allow-nonfinite"};
  return kNames;
}

// ---- runs

using Words = std::vector<std::string>;

/// What can be seen of a run.
struct Outcome {
  int status = 0;
  std::string text;                          ///< stdout and stderr, without times
  std::map<std::string, std::string> files;  ///< that it left, with their content

  bool operator==(const Outcome&) const = default;
};

/// Without what is never the same twice.
std::string settled(std::string text, const fs::path& folder) {
  for (std::size_t at = 0; (at = text.find(folder.string(), at)) != std::string::npos;) {
    text.replace(at, folder.string().size(), "here");
  }
  static const std::regex kMeasured(
      R"#("(estimated_seconds|seconds|operations_per_second|detection_seconds|peak_bytes)":[-+.e0-9]+)#");
  static const std::regex kOfTheMoment(R"#(\b[ja][0-9a-z]{20}\b|[0-9-]+T[0-9:.]+Z|"seconds_elapsed":[-+.e0-9]+)#");
  return std::regex_replace(std::regex_replace(text, kMeasured, ""), kOfTheMoment, "");
}

std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    // job.json and its kin hold hashes of absolute paths, logs times.
    const bool varies = entry.path().extension() == ".json" || entry.path().extension() == ".jsonl" ||
                        entry.path().extension() == ".safetensors" || name.find("report") != std::string::npos ||
                        name.find("server.db") != std::string::npos;
    if (entry.is_regular_file()) files[settled(name, folder)] = varies ? "" : testing::file_content(entry.path());
  }
  return files;
}

/// With what it left.
Outcome outcome_of(const testing::ProgramResult& result, const fs::path& folder) {
  return {result.status, settled(result.out + result.err, folder), files_in(folder)};
}

// ---- inputs

/// Two people, of whom the first is not seen for a while.
pose::PoseSequence two_people(std::uint64_t seed) {
  const puppet::Clip clip({.seed = seed, .width = 192, .height = 256, .frames = 12, .frames_per_second = 16});
  pose::PoseSequence poses = puppet::poses_of(clip).motion;
  poses.detector = "blazepose";
  for (std::size_t i = 0; i < poses.frames.size(); ++i) {
    auto& people = poses.frames[i].people;
    pose::Person other = people.front();
    other.track = 1;
    for (pose::Keypoint& point : other.keypoints) point.at = {192 - point.at.x / 2, point.at.y / 2};
    people.push_back(other);
    if (i >= 4 && i <= 7) people.erase(people.begin());
  }
  return poses;
}

/// As programs write it that do not say how large the picture was.
void write_openpose_without_size(const fs::path& folder, const pose::PoseSequence& poses) {
  pose::write_openpose(folder, poses);
  for (const auto& entry : fs::directory_iterator(folder)) {
    json frame = json::parse(testing::file_content(entry.path()));
    for (const char* key : {"canvas_width", "canvas_height", "width", "height"}) frame.erase(key);
    std::ofstream(entry.path()) << frame;
  }
}

class Inputs {
 public:
  Inputs() {
    const fs::path in = folder_.path();
    fs::create_directories(in / "models");
    testing::write_rule_models(in / "models", testing::tiny_model_configs());
    testing::write_rule_small_decoder(in / "models", in / "models/small_decoder.safetensors");
    fs::copy(in / "models", in / "other_models");
    fs::create_directories(in / "mamba_models");
    family::ModelConfigs with_mamba = testing::tiny_model_configs();
    with_mamba.unet.temporal = models::TemporalKind::kMamba;
    testing::write_rule_models(in / "mamba_models", with_mamba);
    const std::string name = "middle_block.1.proj_in";
    checkpoint::save_safetensors(in / "style.safetensors", {{name + ".lora_down.weight", at::ones({2, 32})},
                                                            {name + ".lora_up.weight", at::ones({32, 2})}});
    const puppet::Clip person({.seed = 7, .width = 512, .height = 768, .frames = 1, .frames_per_second = 16});
    write_png(in / "person.png", person.reference());
    write_png(in / "other.png", Image(512, 768));
    for (const char* poses : {"poses", "other_poses"}) {
      fs::create_directories(in / poses);
      write_png(in / poses / "ref_pose.png", Image(8, 8));
      for (int i = 0; i < 24; ++i) write_png(in / poses / (std::to_string(100 + i) + ".png"), Image(8, 8));
    }
    pose::write_poses(in / "two.json", two_people(3));
    pose::write_poses(in / "other.json", two_people(4));
    write_openpose_without_size(in / "openpose", two_people(3));
    fs::copy(fs::path(UNIANIMATE_SOURCE_FOLDER) / "tests/data/media/videos/tone.mp4", in / "sound.mp4");
    const auto video = open_video_writer(in / "still.mkv", {64, 64, 16, 1});
    for (int i = 0; i < 4; ++i) video->write(Image(64, 64));
    video->finish();
    write_configuration(in / "infer.yaml", "person.png");
    write_configuration(in / "other.yaml", "other.png");
    fs::create_directory_symlink(".", in / "again");
    training::testing::write_tiny_sizes(in / "model.json");
    std::ofstream(in / "train.yaml") << training::testing::autoencoder_yaml("trained", 1);
    std::ofstream(in / "other_train.yaml") << training::testing::autoencoder_yaml("trained", 2);
  }

  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

 private:
  static void write_configuration(const fs::path& path, const std::string& picture) {
    std::ofstream(path) << "test_list_path: [[1, " << picture << ", poses]]\n"
                        << "partial_keys: [[image, randomref, dwpose]]\n"
                        << "resolution: [64, 128]\nmax_frames: 3\nddim_timesteps: 2\nUNet: {dim: 16}\n";
  }

  TemporaryFolder folder_;
};

// ---- what is tried

/// A command line to change, and what has to be in the folder that it is run in.
struct Context {
  Words words;
  std::function<void(const fs::path& folder)> prepare = [](const fs::path&) {};
};

const Words kPlan{"--dry-run", "--json"};

/// The command line with those words; "--option VALUE" takes the place of what is given for the option.
Words with(Words line, const Words& words) {
  const auto is_option = [](const std::string& word) { return word.starts_with("--"); };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto there = std::ranges::find(line, words[i]);
    const bool has_value = i + 1 < words.size() && !is_option(words[i + 1]);
    if (!is_option(words[i])) {
      *there = words.at(i + 1);
    } else if (there == line.end()) {
      line.push_back(words[i]);
      if (has_value) line.push_back(words[i + 1]);
    } else if (has_value) {
      *(there + 1) = words[i + 1];
    }
    if (has_value || !is_option(words[i])) ++i;
  }
  return line;
}

Words animation(const Words& source, const Words& more = kPlan) {
  const Words words{"animate",   "--reference", "in/person.png", "--output", "out.mkv", "--models",
                    "in/models", "--size",      "64x128",        "--frames", "12",      "--device",
                    "cpu",       "--dtype",     "fp32",          "--steps",  "4"};
  return with(with(words, source), more);
}

Words evaluation(const std::string& what) {
  return {"evaluate", what,     "--models", "in/models", "--people", "7-8", "--frames", "4",
          "--size",   "64x128", "--output", "results",   "--device", "cpu", "--dtype",  "fp32"};
}

/// "job" is to make a chained video of three segments, "other" another one; nothing is done yet.
void prepare_jobs(const fs::path& folder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  for (const char* name : {"job", "other"}) {
    studio::VideoJob job;
    job.request.reference = "in/person.png";
    job.request.poses = "in/poses";
    job.request.width = 64;
    job.request.height = 64;
    job.request.frames = 4;
    job.request.frame_interval = 1;
    job.request.sampling.steps = 1;
    job.request.guidance_scale = 1;
    job.request.chain = family::ChainOptions{.segment_size = 2, .segment_overlap = 1, .color_match = false};
    job.output = std::string(name) + ".mkv";
    family::RuntimeOptions runtime;
    runtime.compute.dtype = at::kFloat;
    const family::ModelFiles files = family::find_model_files("in/models");
    const auto plan = pipeline::plan_animation(job.request, *families::open_family(files, runtime));
    studio::JobFolder::create(std::string("jobs/") + name, studio::make_job_record(job, plan, files, runtime));
  }
  fs::current_path(before);
}

void make_jobs_folder(const fs::path& folder) {
  fs::create_directories(folder / "jobs");
  prepare_jobs(folder);
}

constexpr const char* kFirstJob = "j00000000000000000000";
constexpr const char* kSecondJob = "j11111111111111111111";

/// Two queues of two jobs each: the first one failed, the second one waits.
void make_queues(const fs::path& folder) {
  for (const char* name : {"data", "other"}) {
    const store::DataFolder data(folder / name);
    auto connection = queue::open_sqlite(data.database());
    queue::JobQueue jobs(queue::open_sqlite(data.database()));
    for (const char* id : {kFirstJob, kSecondJob}) {
      const auto reference = store::store_file(data, jobs, folder / "in/person.png");
      const auto poses = store::store_file(data, jobs, folder / "in/two.json");
      queue::NewJob job;
      job.label = fmt::format("{} {}", name, std::string(id) == kFirstJob ? "first" : "second");
      job.request = worker::request_text({{"reference", reference.id},
                                          {"poses", poses.id},
                                          {"size", "64x64"},
                                          {"frames", 1},
                                          {"steps", 1},
                                          {"guidance_scale", 1}},
                                         {worker::ResultFormat::kMkv});
      job.assets = {reference.id, poses.id};
      connection->execute("UPDATE job SET id=$1 WHERE id=$2",
                          {queue::SqlValue(std::string(id)), queue::SqlValue(jobs.add(job).job.id)});
    }
  }
}

void make_queues_with_failures(const fs::path& folder) {
  make_queues(folder);
  for (const char* name : {"data", "other"}) {
    queue::open_sqlite(folder / name / "server.db")->execute("UPDATE job SET state='failed', device='cpu fp32'");
  }
}

Words queue_add(const Words& source) {
  const Words words{"queue", "add", "--data", "data", "--reference", "in/person.png", "--json"};
  return with(words, source);
}

const std::map<std::string, Context>& contexts() {
  static const std::map<std::string, Context> kContexts{
      {"animate", {animation({"--poses", "in/poses"})}},
      {"animate with a Mamba", {animation({"--poses", "in/poses", "--models", "in/mamba_models"})}},
      {"animate motion", {animation({"--motion", "in/two.json"})}},
      {"animate motion with sound", {animation({"--motion", "in/sound.mp4"})}},
      {"animate for real",
       {animation({"--poses", "in/poses", "--frames", "1", "--steps", "1", "--guidance", "1", "--save-every", "0"},
                  {"--json"})}},
      {"align",
       {{"align", "--reference", "in/person.png", "--motion", "in/two.json", "--output", "poses", "--dry-run",
         "--json"}}},
      {"align for real",
       {{"align", "--reference", "in/person.png", "--motion", "in/two.json", "--output", "poses", "--no-preview",
         "--json"}}},
      {"run",
       {{"run", "in/infer.yaml", "--root", "in", "--models", "in/models", "--device", "cpu", "--dtype", "fp32",
         "--dry-run", "--json"}}},
      {"run again",
       {{"run", "in/infer.yaml", "--root", "in", "--models", "in/models", "--device", "cpu", "--dtype", "fp32",
         "--dry-run", "--json"},
        [](const fs::path& folder) {
          fs::create_directories(folder / "outputs");
          std::ofstream(folder / "outputs/rank_01_00_00_seed_11_image_randomref_dwpose_person_128x64.mp4") << "made";
        }}},
      {"run for real",
       {{"run", "in/infer.yaml", "--root", "in", "--models", "in/models", "--device", "cpu", "--dtype", "fp32",
         "--save-every", "0", "--json"}}},
      {"resume", {{"resume", "jobs/job", "--json"}, make_jobs_folder}},
      {"job list", {{"job", "list", "jobs", "--json"}, make_jobs_folder}},
      {"job show", {{"job", "show", "jobs/job", "--json"}, make_jobs_folder}},
      {"job delete", {{"job", "delete", "jobs/job"}, make_jobs_folder}},
      {"queue add", {queue_add({"--poses", "in/two.json"})}},
      {"queue add motion", {queue_add({"--motion", "in/two.json"})}},
      {"queue list", {{"queue", "list", "--data", "data", "--json"}, make_queues}},
      {"queue show", {{"queue", "show", kFirstJob, "--data", "data", "--json"}, make_queues}},
      {"queue cancel", {{"queue", "cancel", kFirstJob, "--data", "data", "--json"}, make_queues}},
      {"queue delete", {{"queue", "delete", kFirstJob, "--data", "data", "--json"}, make_queues}},
      {"queue resume", {{"queue", "resume", kFirstJob, "--data", "data", "--json"}, make_queues_with_failures}},
      {"serve",
       {{"serve", "--data", "data", "--models", "in/models", "--device", "cpu", "--dtype", "fp32", "--dry-run",
         "--json"}}},
      // An address of nobody, kept for documents.
      {"serve for real",
       {{"serve", "--data", "data", "--models", "in/models", "--listen", "192.0.2.1:8720", "--json"}}},
      {"worker",
       {{"worker", "--data", "data", "--models", "in/models", "--device", "cpu", "--dtype", "fp32", "--idle-exit", "0",
         "--json"},
        make_queues}},
      {"evaluate poses", {{"evaluate", "poses", "in/two.json", "in/two.json", "--json"}}},
      {"evaluate videos", {{"evaluate", "videos", "in/still.mkv", "in/still.mkv", "--json"}}},
      {"evaluate model", {with(evaluation("model"), kPlan)}},
      {"evaluate model with a Mamba", {with(with(evaluation("model"), kPlan), {"--models", "in/mamba_models"})}},
      {"evaluate model for real",
       {with(evaluation("model"), {"--people", "7-7", "--frames", "1", "--steps", "1", "--guidance", "1", "--quiet"})}},
      {"evaluate long", {with(evaluation("long"), kPlan)}},
      {"evaluate long with a Mamba", {with(with(evaluation("long"), kPlan), {"--models", "in/mamba_models"})}},
      {"evaluate long for real",
       {with(evaluation("long"),
             {"--people", "7-7", "--frames", "2", "--steps", "1", "--strategies", "even", "--quiet"})}},
      {"puppet", {{"puppet", "--size", "32x48", "--frames", "3", "--output", "drawn"}}},
      {"puppet with poses", {{"puppet", "--size", "64x96", "--poses", "in/two.json", "--output", "drawn"}}},
      {"puppet with openpose", {{"puppet", "--size", "64x96", "--poses", "in/openpose", "--output", "drawn"}}},
      {"train",
       {{"train", "train.yaml", "--device", "cpu"},
        [](const fs::path& folder) {
          for (const char* name : {"train.yaml", "other_train.yaml", "model.json"}) {
            fs::copy(folder / "in" / name, folder / name);
          }
        }}},
      {"models list", {{"models", "list", "--models", "in/models"}}},
      {"models inspect", {{"models", "inspect", "in/models/v2-1_512-ema-pruned.ckpt"}}},
      {"models convert", {{"models", "convert", "in/style.safetensors", "out.safetensors"}}},
  };
  return kContexts;
}

/// One option with another valid value.
struct Change {
  std::string option;   ///< as in all_options()
  std::string context;  ///< in which it counts
  /// What is put into the command line instead of what is there: "--seed", "12"; of a positional option what stands
  /// there now and what else may.
  Words words;
  bool may_fail = false;    ///< where this machine cannot
  bool as_program = false;  ///< starts processes of its own
  Words beside = {};        ///< without which it says nothing, in the command line before and after
};

/// The same options in several commands.
std::vector<Change> for_commands(const std::vector<std::string>& commands, const std::vector<Change>& changes) {
  std::vector<Change> all;
  for (const std::string& command : commands) {
    for (Change change : changes) {
      change.option = command + " " + change.option;
      if (change.context.empty()) change.context = command;
      all.push_back(std::move(change));
    }
  }
  return all;
}

/// What can be queued is what can be animated.
void add_queue_changes(std::vector<Change>& changes) {
  const std::set<std::string> options = names_of_all_options();
  std::set<std::string> tried;
  for (const Change& change : changes) tried.insert(change.option);
  const std::string animate = "animate ";
  for (std::size_t i = 0, before = changes.size(); i < before; ++i) {
    Change change = changes[i];
    if (!change.option.starts_with(animate)) continue;
    change.option = "queue add " + change.option.substr(animate.size());
    if (!options.contains(change.option) || tried.contains(change.option)) continue;
    change.context = change.context.starts_with("animate motion") ? "queue add motion" : "queue add";
    changes.push_back(std::move(change));
  }
}

std::vector<Change> all_changes() {
  const std::vector<Change> machine{
      {"--models", "", {"--models", "in/other_models"}},
      {"--lora", "", {"--lora", "in/style.safetensors:0.5"}},
      {"--device", "", {"--device", "cuda"}, true},
      {"--dtype", "", {"--dtype", "bf16"}, true},
      {"--threads", "", {"--threads", std::to_string(thread_count(0) + 1)}},
      {"--memory-budget", "", {"--memory-budget", "900GB"}},
      {"--latent-memory", "", {"--latent-memory", "1MB"}},
  };
  const std::vector<Change> jobs{
      {"--save-every", "", {"--save-every", "0"}},
      {"--keep-job", "", {"--keep-job"}},
      {"--preview-every", "", {"--preview-every", "3"}},
      {"--preview-decoded", "", {"--preview-decoded"}, false, false, {"--preview-every", "3"}},
  };
  const std::vector<Change> sampler{
      {"--sampler", "", {"--sampler", "dpmpp-2m"}},
      {"--timesteps", "", {"--timesteps", "trailing"}},
      {"--timestep-spacing", "", {"--timestep-spacing", "trailing"}},
      {"--final-level", "", {"--final-level", "zero"}},
      {"--eta", "", {"--eta", "0.5"}},
      {"--noise-prior-order", "", {"--noise-prior-order", "long"}},
  };
  const std::vector<Change> shortcuts{
      {"--preset", "", {"--preset", "draft"}},
      {"--guidance-every", "", {"--guidance-every", "2"}},
      {"--guidance-interval", "", {"--guidance-interval", "200-900"}},
      {"--reuse-below", "", {"--reuse-below", "0"}},
      {"--reuse-every", "", {"--reuse-every", "2"}},
      {"--extrapolate", "", {"--extrapolate"}},
  };
  const std::vector<Change> windows{
      {"--context-size", "", {"--context-size", "12"}},
      {"--context-overlap", "", {"--context-overlap", "3"}},
      {"--context-batch-size", "", {"--context-batch-size", "2"}},
      {"--context-schedule", "", {"--context-schedule", "even"}},
      {"--context-weights", "", {"--context-weights", "hann"}},
      {"--chain", "", {"--chain"}},
      {"--segment-size", "", {"--segment-size", "5"}, false, false, {"--chain"}},
      {"--segment-overlap", "", {"--segment-overlap", "2"}, false, false, {"--chain"}},
      {"--color-match", "", {"--color-match"}, false, false, {"--chain"}},
      {"--decode-batch", "", {"--decode-batch", "2"}},
  };
  const std::vector<Change> people{
      {"--people", "", {"--people", "7-9"}},
      {"--frames", "", {"--frames", "5"}},
      {"--size", "", {"--size", "64x64"}},
      {"--motion", "", {"--motion", "walk"}},
      {"--fps", "", {"--fps", "12"}},
      {"--output", "", {"--output", "elsewhere"}},
      {"--conditions", "", {"--conditions", "first-frame"}},
      {"--steps", "", {"--steps", "3"}},
      {"--seed", "", {"--seed", "12"}},
  };
  const std::vector<Change> motion{
      {"--person", "", {"--person", "1"}},
      {"--start", "", {"--start", "0.2"}},
      {"--end", "", {"--end", "0.3"}},
      {"--speed", "", {"--speed", "0.5"}},
      {"--alignment", "", {"--alignment", "published"}},
      {"--alignment-strength", "", {"--alignment-strength", "0"}},
      {"--max-stretch", "", {"--max-stretch", "1.01"}},
      {"--smooth", "", {"--smooth"}},
      {"--max-gap", "", {"--max-gap", "0.1"}},
  };
  std::vector<Change> changes{
      {"animate --reference", "animate", {"--reference", "in/other.png"}},
      {"animate --poses", "animate", {"--poses", "in/other_poses"}},
      {"animate --motion", "animate motion", {"--motion", "in/other.json"}},
      {"animate --size", "animate", {"--size", "64x64"}},
      {"animate --fit", "animate", {"--fit", "pad"}},
      {"animate --frames", "animate", {"--frames", "all"}},
      {"animate --frame-interval", "animate", {"--frame-interval", "1"}},
      {"animate --interval", "animate", {"--interval", "1"}},
      {"animate --seed", "animate", {"--seed", "12"}},
      {"animate --comparison", "animate", {"--comparison"}},
      {"animate --steps", "animate", {"--steps", "3"}},
      {"animate --guidance", "animate", {"--guidance", "1"}},
      {"animate --noise-prior", "animate", {"--noise-prior", "939"}},
      {"animate --conditions", "animate", {"--conditions", "first-frame"}},
      {"animate --output", "animate", {"--output", "other.mkv"}},
      {"animate --fps", "animate", {"--fps", "12"}},
      {"animate --interpolate", "animate", {"--interpolate", "2"}},
      {"animate --audio", "animate motion with sound", {"--audio", "none"}},
      {"animate --save-poses", "animate motion", {"--save-poses", "kept"}},
      {"animate --motion-fps", "animate motion", {"--motion-fps", "30"}},
      {"animate --motion-size", "animate motion", {"--motion-size", "640x480"}},
      {"animate --detector", "animate motion", {"--detector", "blazepose"}},
      {"animate --leave-picture", "animate motion", {"--leave-picture"}},
      {"animate --no-preview", "animate motion", {"--no-preview"}},
      {"animate --job", "animate", {"--job", "kept"}},
      {"animate --processes", "animate", {"--processes", "2"}, false, true},
      {"animate --dry-run", "animate for real", {"--dry-run"}},
      {"animate --profile", "animate for real", {"--profile", "trace.json"}},
      {"align --reference", "align", {"--reference", "in/other.png"}},
      {"align --motion", "align", {"--motion", "in/other.json"}},
      {"align --output", "align", {"--output", "elsewhere"}},
      {"align --fps", "align", {"--fps", "8"}},
      {"align --size", "align", {"--size", "256x384"}},
      {"align --detect-only", "align", {"--detect-only"}},
      {"align --motion-fps", "align", {"--motion-fps", "8"}},
      {"align --motion-size", "align", {"--motion-size", "640x480"}},
      {"align --detector", "align", {"--detector", "dwpose"}},
      {"align --models", "align", {"--models", "in/other_models"}},
      {"align --leave-picture", "align", {"--leave-picture"}},
      {"align --dry-run", "align for real", {"--dry-run"}},
      {"align --profile", "align for real", {"--profile", "trace.json"}},
      {"align --no-preview", "align", {"--no-preview"}},
      {"align --export-openpose", "align", {"--export-openpose", "exported"}},
      {"align --export-comfyui", "align", {"--export-comfyui", "exported.json"}},
      {"run config", "run", {"in/infer.yaml", "in/other.yaml"}},
      {"run --output-dir", "run", {"--output-dir", "videos"}},
      {"run --root", "run", {"--root", "in/again"}},
      {"run --set", "run", {"--set", "seed=3"}},
      {"run --interpolate", "run", {"--interpolate", "2"}},
      {"run --result-only", "run", {"--result-only"}},
      {"run --skip-existing", "run again", {"--skip-existing"}},
      {"run --processes", "run", {"--processes", "2"}, false, true},
      {"run --dry-run", "run for real", {"--dry-run"}},
      {"run --profile", "run for real", {"--profile", "trace.json"}},
      {"resume job", "resume", {"jobs/job", "jobs/other"}},
      {"resume --redo", "resume", {"--redo", "2"}},
      {"resume --seed", "resume", {"--seed", "77"}, false, false, {"--redo", "2"}},
      {"resume --keep-job", "resume", {"--keep-job"}},
      {"resume --profile", "resume", {"--profile", "trace.json"}},
      {"resume --processes", "resume", {"--processes", "2"}, false, true},
      {"job list folder", "job list", {"jobs", "in"}},
      {"job show job", "job show", {"jobs/job", "jobs/other"}},
      {"job delete job", "job delete", {"jobs/job", "jobs/other"}},
      {"queue add --label", "queue add", {"--label", "mine"}},
      {"queue add --priority", "queue add", {"--priority", "3"}},
      {"queue add --format", "queue add", {"--format", "webm"}},
      {"queue add --poses", "queue add", {"--poses", "in/other.json"}},
      {"queue add --models", "queue add", {"--models", "in/other_models"}},
      {"queue add --save-every", "queue add", {"--save-every", "2"}},
      {"queue show id", "queue show", {kFirstJob, kSecondJob}},
      {"queue cancel id", "queue cancel", {kFirstJob, kSecondJob}},
      {"queue delete id", "queue delete", {kFirstJob, kSecondJob}},
      {"queue resume id", "queue resume", {kFirstJob, kSecondJob}},
      {"queue resume --fresh", "queue resume", {"--fresh"}},
      {"serve --listen", "serve", {"--listen", "127.0.0.1:8721"}},
      {"serve --workers", "serve", {"--workers", "2"}},
      {"serve --paused", "serve", {"--paused"}},
      {"serve --max-upload", "serve", {"--max-upload", "1GB"}},
      {"serve --max-queue", "serve", {"--max-queue", "3"}},
      {"serve --quota", "serve", {"--quota", "40GB"}},
      {"serve --keep", "serve", {"--keep", "7"}},
      {"serve --token-file", "serve", {"--token-file", "in/token"}},
      {"serve --no-token", "serve", {"--no-token"}},
      {"serve --host-name", "serve", {"--host-name", "videos.example.org"}},
      {"serve --allow-origin", "serve", {"--allow-origin", "https://example.org"}},
      {"serve --models", "serve", {"--models", "in/other_models"}},
      {"serve --device", "serve", {"--device", "cuda"}},
      {"serve --dtype", "serve", {"--dtype", "bf16"}},
      {"serve --threads", "serve", {"--threads", "3"}},
      {"serve --memory-budget", "serve", {"--memory-budget", "900GB"}},
      {"serve --dry-run", "serve for real", {"--dry-run"}, true},
      {"serve --queue", "serve", {"--queue", "postgresql://nobody@192.0.2.1/queue"}},
      {"worker --lane", "worker", {"--lane", "pose"}},
      {"worker --once", "worker", {"--once"}},
      {"worker --models", "worker", {"--models", "in/other_models"}},
      {"worker --lora", "worker", {"--lora", "in/style.safetensors:0.5"}},
      {"worker --device", "worker", {"--device", "cuda"}, true},
      {"worker --dtype", "worker", {"--dtype", "bf16"}, true},
      {"worker --memory-budget", "worker", {"--memory-budget", "1MB"}},
      {"evaluate poses first", "evaluate poses", {"in/two.json", "in/other.json"}},
      {"evaluate poses second", "evaluate poses", {"in/two.json", "in/other.json"}},
      {"evaluate videos first", "evaluate videos", {"in/still.mkv", "in/other.png"}, true},
      {"evaluate videos second", "evaluate videos", {"in/still.mkv", "in/other.png"}, true},
      {"animate --carry-state",
       "animate with a Mamba",
       {"--carry-state"},
       false,
       false,
       {"--context-schedule", "even"}},
      {"evaluate videos --metric-weights", "evaluate videos", {"--metric-weights", "in"}},
      {"evaluate videos --clip-stride", "evaluate videos", {"--clip-stride", "17"}, true},
      {"evaluate model --guidance", "evaluate model", {"--guidance", "1,2"}},
      {"evaluate model --noise-prior", "evaluate model", {"--noise-prior", "939"}},
      {"evaluate model --reconstruction", "evaluate model", {"--reconstruction"}},
      {"evaluate model --videos", "evaluate model", {"--videos"}},
      {"evaluate model --variant", "evaluate model", {"--variant", "steps=3"}},
      {"evaluate model --carry-state",
       "evaluate model with a Mamba",
       {"--carry-state"},
       false,
       false,
       {"--context-schedule", "even"}},
      {"evaluate model --dry-run", "evaluate model for real", {"--dry-run"}},
      {"evaluate model --profile", "evaluate model for real", {"--profile", "trace.json"}},
      {"evaluate long --strategies", "evaluate long", {"--strategies", "chain-color"}},
      {"evaluate long --context-size", "evaluate long", {"--context-size", "12"}},
      {"evaluate long --context-overlap", "evaluate long", {"--context-overlap", "3"}},
      {"evaluate long --carry-state",
       "evaluate long with a Mamba",
       {"--carry-state"},
       false,
       false,
       {"--strategies", "even"}},
      {"evaluate long --dry-run", "evaluate long for real", {"--dry-run"}},
      {"evaluate long --profile", "evaluate long for real", {"--profile", "trace.json"}},
      {"puppet --seed", "puppet", {"--seed", "9"}},
      {"puppet --motion", "puppet", {"--motion", "walk"}},
      {"puppet --poses", "puppet with poses", {"--poses", "in/other.json"}},
      {"puppet --person", "puppet with poses", {"--person", "1"}},
      {"puppet --bones", "puppet with poses", {"--bones", "person"}},
      {"puppet --poses-size", "puppet with openpose", {"--poses-size", "640x480"}},
      {"puppet --frames", "puppet", {"--frames", "2"}},
      {"puppet --size", "puppet", {"--size", "48x32"}},
      {"puppet --fps", "puppet", {"--fps", "12"}},
      {"puppet --output", "puppet", {"--output", "elsewhere"}},
      {"train config", "train", {"train.yaml", "other_train.yaml"}},
      {"train --profile", "train", {"--profile", "trace.json"}},
      {"train --device", "train", {"--device", "cuda"}, true},
      {"train --processes", "train", {"--processes", "2"}, true, true},
      {"models list --models", "models list", {"--models", "in/other_models"}},
      {"models inspect file", "models inspect", {"in/models/v2-1_512-ema-pruned.ckpt", "in/style.safetensors"}, true},
      {"models inspect --all", "models inspect", {"--all"}},
      {"models convert input", "models convert", {"in/style.safetensors", "in/models/open_clip_pytorch_model.bin"}},
      {"models convert output", "models convert", {"out.safetensors", "other.safetensors"}},
      {"models convert --dtype", "models convert", {"--dtype", "bf16"}},
  };
  const auto add = [&](const std::vector<Change>& more) { changes.insert(changes.end(), more.begin(), more.end()); };
  add(for_commands({"animate", "run", "evaluate model", "evaluate long"}, machine));
  add(for_commands({"animate", "run"}, jobs));
  add(for_commands({"animate", "align", "run"}, {{"--background", "", {"--background", "#00ff00"}}}));
  add(for_commands({"animate", "run", "evaluate model", "evaluate long"}, {{"--decoder", "", {"--decoder", "small"}}}));
  add(for_commands({"animate", "evaluate model", "evaluate long"}, sampler));
  add(for_commands({"animate", "evaluate model"}, shortcuts));
  add(for_commands({"animate", "evaluate model"}, windows));
  add(for_commands({"evaluate model", "evaluate long"}, people));
  add(for_commands({"align"}, motion));
  for (Change change : motion) {
    change.option = "animate " + change.option;
    change.context = "animate motion";
    changes.push_back(std::move(change));
  }
  const std::vector<std::string> queue_commands{"queue add",    "queue list",   "queue show", "queue cancel",
                                                "queue delete", "queue resume", "worker"};
  std::vector<std::string> with_data = queue_commands;
  with_data.emplace_back("serve");
  add(for_commands(with_data, {{"--data", "", {"--data", "other"}}}));
  // There is nothing to connect to; what came of it is tried in shared_queue_test.cpp.
  add(for_commands(queue_commands, {{"--queue", "", {"--queue", "postgresql://nobody@%2Fnowhere/queue"}, true}}));
  add_queue_changes(changes);
  return changes;
}

class Options : public ::testing::TestWithParam<Change> {
 protected:
  static void SetUpTestSuite() {
    if (!inputs_) inputs_ = std::make_unique<Inputs>();
  }

  static Outcome run(const Context& context, const Words& words, bool as_program) {
    const TemporaryFolder folder;
    fs::create_directory_symlink(inputs_->path(), folder / "in");
    context.prepare(folder.path());
    return outcome_of(
        as_program ? testing::run_program(words, {folder.path(), {}, {}}) : testing::run_here(words, folder.path()),
        folder.path());
  }
  /// Of the command line without the change.
  static const Outcome& unchanged(const Change& change) {
    static std::map<std::tuple<std::string, Words, bool>, Outcome> outcomes;
    const auto [entry, is_new] = outcomes.try_emplace({change.context, change.beside, change.as_program});
    const Context& context = contexts().at(change.context);
    if (is_new) entry->second = run(context, with(context.words, change.beside), change.as_program);
    return entry->second;
  }

  static std::unique_ptr<Inputs> inputs_;
};

std::unique_ptr<Inputs> Options::inputs_;

TEST_P(Options, ChangeSomething) {
  const Change& change = GetParam();
  const Context& context = contexts().at(change.context);
  const Outcome& before = unchanged(change);
  const Outcome after = run(context, with(with(context.words, change.beside), change.words), change.as_program);
  if (!change.may_fail) {
    EXPECT_EQ(before.status, 0) << before.text;
    EXPECT_EQ(after.status, 0) << after.text;
  }
  EXPECT_FALSE(after == before) << change.option << " was accepted and changed nothing: make it work, or refuse it "
                                << "where it cannot apply (CommandLine::refuse() in fields/command_line.h)";
}

INSTANTIATE_TEST_SUITE_P(All, Options, ::testing::ValuesIn(all_changes()), [](const auto& change) {
  std::string name = change.param.option;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(AllOptions, AreTried) {
  std::set<std::string> tried;
  for (const Change& change : all_changes()) tried.insert(change.option);
  const std::set<std::string> options = names_of_all_options();
  for (const std::string& option : options) {
    if (is_for_terminals(option) || changes_nothing_to_see().contains(option)) continue;
    EXPECT_TRUE(tried.contains(option))
        << "nobody tries '" << option
        << "': add a line to all_changes() in this file that gives it another valid value "
        << "in a command line where that can be seen, in the plan of --dry-run --json best";
  }
  for (const std::string& option : tried) EXPECT_TRUE(options.contains(option)) << "there is no " << option;
}

}  // namespace
}  // namespace unianimate
