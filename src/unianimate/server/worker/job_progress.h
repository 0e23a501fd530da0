// What is told of a job that is worked on, as it stands in its row.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"
#include "unianimate/server/worker/lease.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/progress_meter.h"

namespace unianimate::worker {

/// Why a job stops before it is done.
enum class StopReason { kNone, kLost, kCancelled, kStopping };

/// Writes progress into the row, at most once a second and at once where the attempt has saved its first step; passes
/// everything on to whoever watches the worker. Called from the thread that `queue` belongs to.
class JobProgress final : public studio::JobObserver {
 public:
  /// All have to outlive this. `stopping`: whether the worker is to end.
  JobProgress(queue::JobQueue& queue, queue::Claim claim, const Lease& lease, const store::DataFolder& folder,
              const std::function<bool()>& stopping, studio::JobObserver& watcher);

  void begin_phase(std::string_view name, std::int64_t total) override;
  void step(std::int64_t done) override;
  void note(const std::string& message) override;
  [[nodiscard]] bool cancelled() const override { return reason() != StopReason::kNone; }
  void phase_begins(const pipeline::PhasePlace& place) override { watcher_.phase_begins(place); }
  void begin_video(const studio::VideoJob& job, std::size_t index, std::size_t count) override {
    watcher_.begin_video(job, index, count);
  }
  void planned(const studio::PlannedVideo& video) override;
  void finished(const studio::FinishedVideo& video) override;
  void aligned(const studio::AlignedMotion& motion) override;

  [[nodiscard]] StopReason reason() const;
  /// What planned(), finished() or aligned() told last.
  [[nodiscard]] const nlohmann::ordered_json& result() const { return result_; }

 private:
  void tell();
  [[nodiscard]] std::set<std::string> saved_files() const;
  void count_previews();

  queue::JobQueue& queue_;
  queue::Claim claim_;
  const Lease& lease_;
  std::filesystem::path work_;          ///< the studio's job folder
  std::filesystem::path found_people_;  ///< where who was found in the motion is kept
  std::filesystem::path preview_;
  std::filesystem::file_time_type preview_written_;  ///< the last one, where there was one
  int previews_ = 0;                                 ///< of this attempt, each in the place of the one before
  const std::function<bool()>& stopping_;
  studio::JobObserver& watcher_;
  std::set<std::string> saved_before_;  ///< people, latents and frames of earlier attempts
  bool saved_ = false;
  std::string phase_;
  studio::ProgressMeter meter_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point told_;
  nlohmann::ordered_json result_;
};

}  // namespace unianimate::worker
