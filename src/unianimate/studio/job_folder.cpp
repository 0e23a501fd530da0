#include "unianimate/studio/job_folder.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <utility>

#include "unianimate/checkpoint/loading.h"
#include "unianimate/checkpoint/safetensors_writer.h"
#include "unianimate/core/content_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/output_rule.h"
#include "unianimate/media/film/open_frame_source.h"
#include "unianimate/media/film/video_writer.h"
#include "unianimate/media/pictures/frame_source.h"

namespace unianimate::studio {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kRecordFile = "job.json";
constexpr const char* kStateFile = "state.json";
constexpr const char* kLockFile = ".lock";
constexpr std::uintmax_t kLargestFile = std::uintmax_t{64} << 20;
/// Steps or frames of one file.
constexpr std::uint64_t kMostCounted = 1'000'000;

/// A text with its checksum on the first line.
void write_checked(const fs::path& file, const std::string& text) {
  write_file_atomically(file, content_hash_of(text) + "\n" + text + "\n");
}

constexpr std::string_view kHexadecimalDigits = "0123456789abcdef";
constexpr std::size_t kChecksumDigits = 32;

/// Without the name of its algorithm: the first line of a job that was begun by the program of before, which had
/// another.
bool is_bare_checksum(std::string_view line) {
  return line.size() == kChecksumDigits && line.find_first_not_of(kHexadecimalDigits) == std::string_view::npos;
}

std::string read_checked(const fs::path& file) {
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(file, problem);
  if (problem) {
    throw Error(ErrorKind::kInput, "{} is not a job folder: it has no {}; 'unianimate job list' shows those there are",
                printable(file.parent_path().string()), file.filename().string());
  }
  std::string text;
  if (size <= kLargestFile) {
    std::ifstream stream(file, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(stream), {});
  }
  const std::size_t line = text.find('\n');
  if (line != std::string::npos && is_bare_checksum(std::string_view(text).substr(0, line))) {
    throw Error(ErrorKind::kInput,
                "the job in {} was begun by an earlier version of this program, whose checksums were of another kind; "
                "finish it with that version, or remove it with 'unianimate job delete' and begin anew",
                printable(file.parent_path().string()));
  }
  if (line == std::string::npos || !text.ends_with('\n') ||
      content_hash_of(text.substr(line + 1, text.size() - line - 2)) != text.substr(0, line)) {
    throw Error(ErrorKind::kInput, "{} is damaged; remove the job with 'unianimate job delete' and begin anew",
                printable(file.string()));
  }
  return text.substr(line + 1, text.size() - line - 2);
}

/// Names of the files with latents and frames; a number more where something else stood in the way.
bool is_work_name(const std::string& name) {
  // Matching goes as deep as the name is long.
  constexpr std::size_t kLongest = 255;
  if (name.size() > kLongest) return false;
  static const std::regex names(R"(segment-\d+-latents-\d+(-\d+)?\.safetensors|segment-\d+-part-\d+(-\d+)?\.mkv)");
  return std::regex_match(name, names);
}

/// What a process left that was killed while it wrote a file of the job.
bool is_left_behind(const std::string& name) {
  const std::optional<std::string> finished = finished_name(name);
  return finished && (*finished == kRecordFile || *finished == kStateFile || is_work_name(*finished));
}

/// Nothing but what a job that was killed at its very beginning leaves.
bool holds_nothing_else(const fs::path& folder) {
  std::error_code ignored;
  return std::ranges::all_of(fs::directory_iterator(folder, ignored), [&](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    return entry.is_regular_file(ignored) &&
           ((name == kLockFile && entry.file_size(ignored) == 0) || finished_name(name) == kRecordFile);
  });
}

/// The files with work in the folder, and what was left behind of them: those that this program wrote, as their mark
/// tells, or the state. A file of somebody else is none of them, whatever its name.
std::vector<fs::path> work_files(const fs::path& folder, const std::vector<std::string>& in_state) {
  std::vector<fs::path> files;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    const bool named = std::ranges::find(in_state, name) != in_state.end();
    if (is_left_behind(name) || (is_work_name(name) && (named || is_own_file(entry->path())))) {
      files.push_back(entry->path());
    }
  }
  return files;
}

/// The job's files, and the folder where it is then empty. A kill on the way leaves a folder that says what it is.
void remove_job(const fs::path& folder, const std::vector<std::string>& in_state) {
  std::error_code ignored;
  std::vector<fs::path> files = work_files(folder, in_state);
  files.insert(files.end(), {folder / kStateFile, folder / kLockFile, folder / kRecordFile, folder});
  for (const fs::path& file : files) fs::remove(file, ignored);
}

/// Refuses what is no file of this segment, above all names that would lead out of the folder.
std::string name_of_segment(const std::string& name, std::size_t segment, std::string_view kind) {
  const std::string beginning = fmt::format("segment-{}-{}-", segment, kind);
  if (is_work_name(name) && name.starts_with(beginning)) return name;
  throw Error(ErrorKind::kInput,
              "the state of the job names '{}', which is no file of it: {} of segment {} begin with '{}'",
              printable(name), kind, segment, beginning);
}

at::Tensor state_tensor(const at::Generator& generator) {
  return generator.get_state();
}

}  // namespace

JobFolder::JobFolder(fs::path folder) : folder_(std::move(folder)), lock_(folder_, "process") {}

void JobFolder::read(const std::string& record_text) {
  record_ = read_job_record(record_text, folder_ / kRecordFile);
  segments_ = read_state(folder_);
  ours_ = names_of(segments_);
  forget_files();
}

bool JobFolder::suits(const fs::path& folder, const JobRecord& record) {
  std::error_code ignored;
  if (fs::exists(folder / kRecordFile, ignored)) {
    try {
      JobRecord there = read_job_record(read_checked(folder / kRecordFile), folder / kRecordFile);
      there.job.threads = record.job.threads;  // of no effect on what is made
      return job_record_text(there) == job_record_text(record);
    } catch (const Error&) {
      return false;
    }
  }
  return !fs::exists(folder, ignored) || (fs::is_directory(folder, ignored) && holds_nothing_else(folder));
}

void JobFolder::refuse_other(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored) || fs::exists(folder / kRecordFile, ignored)) return;
  if (fs::is_directory(folder, ignored) && holds_nothing_else(folder)) return;
  throw Error(ErrorKind::kUsage, "{} holds something else than a job; give another folder with --job",
              printable(folder.string()));
}

void JobFolder::require_suitable(const fs::path& folder, const JobRecord& record) {
  if (suits(folder, record)) return;
  throw Error(ErrorKind::kUsage,
              "{} holds an unfinished job of other settings or inputs, or something else; finish a job with "
              "'unianimate resume', remove it with 'unianimate job delete', or give another folder with --job",
              printable(folder.string()));
}

std::unique_ptr<JobFolder> JobFolder::create(const fs::path& folder, const JobRecord& record) {
  require_suitable(folder, record);
  const std::string text = job_record_text(record);
  make_folder(folder);
  std::unique_ptr<JobFolder> job(new JobFolder(folder));
  require_suitable(folder, record);  // another process may have been quicker
  std::error_code ignored;
  if (!fs::exists(folder / kRecordFile, ignored)) write_checked(folder / kRecordFile, text);
  job->read(text);
  return job;
}

std::unique_ptr<JobFolder> JobFolder::open(const fs::path& folder) {
  const fs::path plain = without_trailing_separator(folder);
  const std::string text = read_checked(plain / kRecordFile);
  std::unique_ptr<JobFolder> job(new JobFolder(plain));
  job->read(text);
  require_unchanged_inputs(job->record_, plain);
  return job;
}

JobFolder::SegmentState& JobFolder::state_of(std::size_t segment) {
  if (segments_.size() <= segment) segments_.resize(segment + 1);
  return segments_[segment];
}

bool JobFolder::is_whole(const SavedFile& file) const {
  std::error_code ignored;
  return fs::is_regular_file(folder_ / file.name, ignored) && content_hash(folder_ / file.name) == file.hash;
}

std::vector<JobFolder::SegmentState> JobFolder::read_state(const fs::path& folder) {
  std::vector<SegmentState> segments;
  const fs::path state_file = folder / kStateFile;
  std::error_code ignored;
  if (!fs::exists(state_file, ignored)) return segments;
  const std::string shown = printable(state_file.string());
  const auto saved_file = [&](const json& file, std::string_view kind) {
    const auto count = file.at("count").get_ref<const json::number_unsigned_t&>();
    if (count == 0 || count > kMostCounted) throw Error(ErrorKind::kInput, "{} holds a count of {}", shown, count);
    return SavedFile{name_of_segment(file.at("name").get<std::string>(), segments.size() - 1, kind),
                     file.at("hash").get<std::string>(), static_cast<std::int64_t>(count)};
  };
  try {
    const json state_of_job = json::parse(read_checked(state_file));
    for (const json& segment : state_of_job.get_ref<const json::array_t&>()) {
      SegmentState& state = segments.emplace_back();
      if (segment.contains("seed")) state.seed = segment.at("seed").get_ref<const json::number_unsigned_t&>();
      if (segment.contains("latents")) state.latents = saved_file(segment.at("latents"), "latents");
      for (const json& part : segment.at("parts").get_ref<const json::array_t&>()) {
        state.parts.push_back(saved_file(part, "part"));
      }
      if (segment.contains("before")) {
        const json& before = segment.at("before");
        state.before.emplace();
        if (before.contains("seed")) state.before->seed = before.at("seed").get_ref<const json::number_unsigned_t&>();
        for (const json& part : before.at("parts").get_ref<const json::array_t&>()) {
          state.before->parts.push_back(saved_file(part, "part"));
        }
      }
    }
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kInput, "{} is not the state of a job: {}", shown, printable(error.what()));
  }
  return segments;
}

void JobFolder::write_state() const {
  const auto saved_file = [](const SavedFile& file) {
    return json{{"name", file.name}, {"hash", file.hash}, {"count", file.count}};
  };
  json segments = json::array();
  for (const SegmentState& state : segments_) {
    json segment{{"parts", json::array()}};
    if (state.seed) segment["seed"] = *state.seed;
    if (state.latents) segment["latents"] = saved_file(*state.latents);
    for (const SavedFile& part : state.parts) segment["parts"].push_back(saved_file(part));
    if (state.before) {
      json before{{"parts", json::array()}};
      if (state.before->seed) before["seed"] = *state.before->seed;
      for (const SavedFile& part : state.before->parts) before["parts"].push_back(saved_file(part));
      segment["before"] = std::move(before);
    }
    segments.push_back(std::move(segment));
  }
  write_checked(folder_ / kStateFile, segments.dump());
}

std::vector<std::string> JobFolder::names_of(const std::vector<SegmentState>& segments) {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<SavedFile>& files) {
    for (const SavedFile& file : files) names.push_back(file.name);
  };
  for (const SegmentState& state : segments) {
    if (state.latents) names.push_back(state.latents->name);
    add(state.parts);
    if (state.before) add(state.before->parts);
  }
  return names;
}

void JobFolder::forget_files() const {
  const std::vector<std::string> known = names_of(segments_);
  std::error_code ignored;
  for (const fs::path& file : work_files(folder_, ours_)) {
    if (std::ranges::find(known, file.filename().string()) == known.end()) fs::remove(file, ignored);
  }
}

std::vector<std::string> JobFolder::names_in_state(const fs::path& folder) {
  try {
    return names_of(read_state(folder));
  } catch (const Error&) {
    return {};  // a damaged state names nothing
  }
}

std::optional<std::uint64_t> JobFolder::seed(std::size_t segment) const {
  return segment < segments_.size() ? segments_[segment].seed : std::nullopt;
}

std::int64_t JobFolder::load_sampling(std::size_t segment, const NamedTensors& tensors, at::Generator& generator,
                                      Progress& progress) {
  const std::optional<SavedFile> saved = state_of(segment).latents;
  if (!saved) return 0;
  if (!is_whole(*saved)) {
    progress.note(fmt::format("{} is damaged, so the segment is sampled from its beginning", saved->name));
    return 0;
  }
  at::Tensor state = at::empty_like(state_tensor(generator));
  const fs::path file = folder_ / saved->name;
  const auto require = [&](bool right, const char* problem) {
    if (right) return;
    throw Error(ErrorKind::kInput, "{} {}; remove the job with 'unianimate job delete' and begin anew",
                printable(file.string()), problem);
  };
  const checkpoint::Checkpoint archive = checkpoint::open_checkpoint(file);
  NamedTensors wanted = tensors;
  wanted.push_back({"generator", state});
  for (const auto& [name, tensor] : wanted) {
    const checkpoint::TensorEntry* entry = archive.find(name);
    require(entry == nullptr || checkpoint::scalar_type(entry->type) == tensor.scalar_type(),
            "holds tensors of another type than the sampler's");
  }
  checkpoint::load_into(archive, wanted).require_ok();
  for (const auto& [name, tensor] : tensors) {
    require(std::isfinite(tensor.sum().item<double>()), "holds latents that are no numbers");
  }
  try {
    generator.set_state(state);
  } catch (const c10::Error&) {
    require(false, "holds a state that the generator of random numbers cannot have");
  }
  return saved->count;
}

void JobFolder::save_sampling(std::size_t segment, std::int64_t steps, const NamedTensors& tensors,
                              const at::Generator& generator) {
  SavedFile file{own_name(fmt::format("segment-{}-latents-{}.safetensors", segment, steps)), {}, steps};
  NamedTensors all = tensors;
  all.push_back({"generator", state_tensor(generator)});
  checkpoint::save_safetensors(folder_ / file.name, all, checkpoint::marked());
  file.hash = content_hash(folder_ / file.name);
  state_of(segment).latents = std::move(file);
  write_state();
  forget_files();
}

std::int64_t JobFolder::frames_in(const std::vector<SavedFile>& parts) {
  std::int64_t frames = 0;
  for (const SavedFile& part : parts) frames += part.count;
  return frames;
}

std::int64_t JobFolder::finished_frames(std::size_t segment, Progress& progress) {
  std::vector<SavedFile>& parts = state_of(segment).parts;
  const auto damaged = std::ranges::find_if_not(parts, [&](const SavedFile& part) { return is_whole(part); });
  if (damaged != parts.end()) {
    progress.note(fmt::format("{} is damaged or gone, so its frames are made again", damaged->name));
    parts.erase(damaged, parts.end());
  }
  return frames_in(parts);
}

void JobFolder::add_frames(std::size_t segment, std::span<const Image> frames) {
  constexpr double kAnyRate = 25;
  std::vector<SavedFile>& parts = state_of(segment).parts;
  SavedFile file{own_name(next_part(segment)), {}, static_cast<std::int64_t>(frames.size())};
  const auto sink = open_video_writer(folder_ / file.name, {frames.front().width, frames.front().height, kAnyRate, 0});
  for (const Image& frame : frames) sink->write(frame);
  sink->finish();
  file.hash = content_hash(folder_ / file.name);
  parts.push_back(std::move(file));
  std::optional<FinishedSegment>& before = state_of(segment).before;
  const bool replaced = before && frames_in(parts) >= frames_in(before->parts);
  if (replaced) before.reset();
  write_state();
  if (replaced) forget_files();
}

/// A file of somebody else under this name is left alone.
std::string JobFolder::own_name(const std::string& name) {
  return ours_.emplace_back(own_place(folder_ / name).filename().string());
}

std::string JobFolder::next_part(std::size_t segment) const {
  const std::vector<std::string> known = names_of(segments_);
  std::string name;
  std::size_t number = segments_[segment].parts.size();
  do {
    name = fmt::format("segment-{}-part-{}.mkv", segment, number++);
  } while (std::ranges::find(known, name) != known.end());
  return name;
}

void JobFolder::read_frames(std::size_t segment, const std::function<void(const Image&)>& take) const {
  for (const SavedFile& part : segments_.at(segment).parts) {
    const auto source = open_frame_source(folder_ / part.name);
    std::int64_t count = 0;
    const family::AnimateRequest& request = record_.job.request;
    while (const auto frame = source->next()) {
      if (frame->image.width != request.width || frame->image.height != request.height) break;
      take(frame->image);
      ++count;
    }
    if (count == part.count) continue;
    throw Error(ErrorKind::kInput, "{} has {} frames of {}x{} instead of {}; remove the file and resume the job",
                printable((folder_ / part.name).string()), count, request.width, request.height, part.count);
  }
}

bool JobFolder::holds_work() const {
  return std::ranges::any_of(
      segments_, [](const SegmentState& state) { return state.latents || !state.parts.empty() || state.before; });
}

void JobFolder::redo(std::size_t segment, std::uint64_t seed) {
  SegmentState& state = state_of(segment);
  if (state.before && state.before->seed.value_or(record_.job.request.seed) == seed) {
    state = {state.before->seed, std::nullopt, state.before->parts, std::nullopt};
  } else {
    if (!state.before && !state.parts.empty()) state.before = FinishedSegment{state.seed, state.parts};
    state = {seed, std::nullopt, {}, state.before};
  }
  write_state();
  forget_files();
}

void JobFolder::remove() {
  remove_job(folder_, ours_);
}

std::int64_t job_bytes(const family::AnimateRequest& request, const pipeline::AnimatePlan& plan) {
  return 2 * plan.kept_bytes + lossless_bytes(request.width, request.height, plan.frames());
}

JobSummary summarize_job(const fs::path& folder) {
  const fs::path plain = without_trailing_separator(folder);
  JobSummary summary{plain, read_job_record(read_checked(plain / kRecordFile), plain / kRecordFile)};
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(plain, ignored)) {
    if (entry.is_regular_file(ignored)) summary.bytes += static_cast<std::int64_t>(entry.file_size(ignored));
  }
  for (const JobFolder::SegmentState& segment : JobFolder::read_state(plain)) {
    ++summary.segments_begun;
    summary.steps_done = segment.latents ? segment.latents->count : 0;
    for (const JobFolder::SavedFile& part : segment.parts) summary.frames_finished += part.count;
  }
  return summary;
}

std::vector<fs::path> list_jobs(const fs::path& parent) {
  std::vector<fs::path> jobs;
  std::error_code problem;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, problem)) {
    std::error_code ignored;
    if (fs::is_regular_file(entry.path() / kRecordFile, ignored)) jobs.push_back(entry.path());
  }
  if (problem) {
    throw Error(ErrorKind::kInput, "{} cannot be listed: {}", printable(parent.string()), problem.message());
  }
  std::ranges::sort(jobs);
  return jobs;
}

void delete_job(const fs::path& folder) {
  const fs::path plain = without_trailing_separator(folder);
  std::ifstream record(plain / kRecordFile, std::ios::binary);
  std::string line(kHashAlgorithm.size() + kChecksumDigits + 1, '\0');
  record.read(line.data(), static_cast<std::streamsize>(line.size()));
  // A checksum, right or not, of this program or of an earlier one.
  const std::string_view first = std::string_view(line).substr(0, line.find('\n'));
  const bool is_job = is_bare_checksum(first.starts_with(kHashAlgorithm) ? first.substr(kHashAlgorithm.size()) : first);
  if (!is_job) {
    throw Error(ErrorKind::kInput, "{} is not a job folder: it has no {} of this program", printable(plain.string()),
                kRecordFile);
  }
  const FolderLock lock(plain, "process");
  remove_job(plain, JobFolder::names_in_state(plain));
  std::error_code ignored;
  if (fs::exists(plain, ignored)) {
    throw Error(ErrorKind::kInput, "the job is removed as far as it could be, but {} holds other files and stays",
                printable(plain.string()));
  }
}

}  // namespace unianimate::studio
