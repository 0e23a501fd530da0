// A video that is being made, on disk: what is done so far, so that another process can go on with it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unianimate/core/folder_lock.h"
#include "unianimate/core/progress.h"
#include "unianimate/media/pictures/image.h"
#include "unianimate/pipeline/segment_store.h"
#include "unianimate/studio/job_record.h"

namespace unianimate::studio {

struct JobSummary;

/// job.json says what is to be made, state.json what is done; segment-I-latents-N.safetensors holds the latents of a
/// segment after N steps, segment-I-part-K.mkv finished frames, lossless. Files of others are neither replaced nor
/// removed, whatever their names. Every file appears whole or not at all, and
/// each has its checksum in state.json or, for the two JSON files, in itself. One process at a time may hold a folder.
class JobFolder : public pipeline::SegmentStore {
 public:
  /// Makes the folder, or takes one that was left by the same job. Throws Error(kUsage) where it holds something else
  /// or another process has it, Error(kEnvironment) where it cannot be written.
  static std::unique_ptr<JobFolder> create(const std::filesystem::path& folder, const JobRecord& record);

  /// Throws Error(kUsage) where something else than a job is in the folder.
  static void refuse_other(const std::filesystem::path& folder);

  /// Whether create() would take the folder for this record: nothing is there yet, or the same job.
  static bool suits(const std::filesystem::path& folder, const JobRecord& record);

  /// Throws Error(kUsage) where it does not.
  static void require_suitable(const std::filesystem::path& folder, const JobRecord& record);

  /// Takes what create() made. Throws Error(kInput) where it is no job folder, is damaged, or an input has changed;
  /// Error(kUsage) where another process has it.
  static std::unique_ptr<JobFolder> open(const std::filesystem::path& folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const JobRecord& record() const { return record_; }

  [[nodiscard]] std::int64_t save_every() const override { return record_.save_every; }
  [[nodiscard]] std::optional<std::uint64_t> seed(std::size_t segment) const override;
  std::int64_t load_sampling(std::size_t segment, const NamedTensors& tensors, at::Generator& generator,
                             Progress& progress) override;
  void save_sampling(std::size_t segment, std::int64_t steps, const NamedTensors& tensors,
                     const at::Generator& generator) override;
  std::int64_t finished_frames(std::size_t segment, Progress& progress) override;
  void add_frames(std::size_t segment, std::span<const Image> frames) override;
  void read_frames(std::size_t segment, const std::function<void(const Image&)>& take) const override;

  /// Whether anything would be lost with the folder.
  [[nodiscard]] bool holds_work() const;

  /// A segment is to be made again from another seed. Its finished frames stay until there are as many new ones; until
  /// then this takes them back where it is given their seed.
  void redo(std::size_t segment, std::uint64_t seed);

  /// Removes the job's files, and the folder unless it holds others; the object is then of no use.
  void remove();

 private:
  struct SavedFile {
    std::string name;
    std::string hash;
    std::int64_t count = 0;  ///< steps or frames
  };
  struct FinishedSegment {
    std::optional<std::uint64_t> seed;
    std::vector<SavedFile> parts;
  };
  struct SegmentState {
    std::optional<std::uint64_t> seed;
    std::optional<SavedFile> latents;
    std::vector<SavedFile> parts;
    std::optional<FinishedSegment> before;  ///< what is there until the segment is made again
  };

  friend JobSummary summarize_job(const std::filesystem::path& folder);
  friend void delete_job(const std::filesystem::path& folder);

  /// Takes the folder, and looks at nothing.
  explicit JobFolder(std::filesystem::path folder);
  void read(const std::string& record_text);
  SegmentState& state_of(std::size_t segment);
  [[nodiscard]] bool is_whole(const SavedFile& file) const;
  static std::vector<SegmentState> read_state(const std::filesystem::path& folder);
  static std::vector<std::string> names_of(const std::vector<SegmentState>& segments);
  static std::vector<std::string> names_in_state(const std::filesystem::path& folder);
  static std::int64_t frames_in(const std::vector<SavedFile>& parts);
  std::string own_name(const std::string& name);
  [[nodiscard]] std::string next_part(std::size_t segment) const;
  void write_state() const;
  void forget_files() const;

  std::filesystem::path folder_;
  FolderLock lock_;
  JobRecord record_;
  std::vector<SegmentState> segments_;
  std::vector<std::string> ours_;  ///< names of files that the state has or had
};

/// What a job of this plan takes on disk at least: latents, new ones beside those before, and finished frames.
std::int64_t job_bytes(const family::AnimateRequest& request, const pipeline::AnimatePlan& plan);

/// What can be said of a job without taking it.
struct JobSummary {
  std::filesystem::path folder;
  JobRecord record;
  std::int64_t segments_begun = 0;
  std::int64_t steps_done = 0;       ///< of the last segment that was begun
  std::int64_t frames_finished = 0;  ///< of all segments
  std::int64_t bytes = 0;            ///< on disk
};

/// Throws Error(kInput) where it is no job folder.
JobSummary summarize_job(const std::filesystem::path& folder);

/// The job folders directly in `parent`, in the order of their names. Throws Error(kInput) where it is no folder.
std::vector<std::filesystem::path> list_jobs(const std::filesystem::path& parent);

/// As JobFolder::remove() does, of a job that no process holds, damaged ones too. Throws Error(kInput) where it is none
/// or the folder stays because it holds other files, Error(kUsage) where a process holds it.
void delete_job(const std::filesystem::path& folder);

}  // namespace unianimate::studio
