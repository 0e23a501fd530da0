// Doing one job, whatever its kind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/family/runtime_options.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"
#include "unianimate/server/worker/job_request.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/studio.h"

namespace unianimate::pose {
class KeptDetector;
}

namespace unianimate::worker {

/// A folder of this machine, and what people who may not know where it lies call it.
struct NamedPlace {
  std::filesystem::path folder;  ///< absolute
  std::string name;              ///< "the models folder"
  std::string prefix;            ///< of what lies in it: "", "embedded/"
};

class JobRunner {
 public:
  virtual ~JobRunner() = default;

  /// What it computes with: "cuda bf16". Jobs go on only where they were begun.
  [[nodiscard]] virtual std::string device() const = 0;
  /// Bytes of its memory that models may have; none where nobody knows.
  [[nodiscard]] virtual std::optional<std::int64_t> usable_bytes() const { return std::nullopt; }
  /// All else of it that a video depends on: models, LoRA files, budgets of memory.
  [[nodiscard]] virtual std::string setup() const { return ""; }
  /// As queue::WorkerRow::gpu.
  [[nodiscard]] virtual std::string gpu() const { return ""; }
  /// Places on this machine that its errors name, those in others before these.
  [[nodiscard]] virtual std::vector<NamedPlace> places() const { return {}; }

  /// Does the job, or what is left of it where that was begun with the same device and setup, and gives the video that
  /// was made, if one is. Throws Error of every kind.
  virtual std::optional<std::filesystem::path> run(const queue::JobRow& job, studio::JobObserver& observer) = 0;
};

/// Through the studio, which keeps its models open from one job to the next that wants the same, as this does the
/// detector's.
class StudioRunner final : public JobRunner {
 public:
  struct Machine {
    std::filesystem::path models;    ///< folder of what makes videos
    std::filesystem::path detector;  ///< folder that may hold a detector's models
    family::RuntimeOptions runtime;
    int threads = 0;  ///< of encoders and detectors; 0: as many as suit
  };

  /// All have to outlive this.
  StudioRunner(const store::DataFolder& folder, queue::JobQueue& queue, Machine machine);

  [[nodiscard]] std::string device() const override;
  [[nodiscard]] std::optional<std::int64_t> usable_bytes() const override;
  [[nodiscard]] std::string setup() const override;
  [[nodiscard]] std::string gpu() const override;
  [[nodiscard]] std::vector<NamedPlace> places() const override;
  std::optional<std::filesystem::path> run(const queue::JobRow& job, studio::JobObserver& observer) override;

 private:
  [[nodiscard]] ModelChoice choice_of(const queue::JobRow& job) const;
  std::filesystem::path make_video(const queue::JobRow& job, studio::JobObserver& observer);
  void make_poses(const queue::JobRow& job, studio::JobObserver& observer);
  void make_plan(const queue::JobRow& job, studio::JobObserver& observer);

  /// What a row wants of this machine.
  struct Opening {
    std::filesystem::path models;
    family::RuntimeOptions runtime;
  };
  [[nodiscard]] Opening opening_for(const ModelChoice& choice) const;
  studio::Studio& studio_for(const ModelChoice& choice);
  studio::VideoOrder order_of(const queue::JobRow& job, const Opening& opening);
  void take_found_people(const queue::JobRow& job) const;
  [[nodiscard]] std::filesystem::path asset_file(const std::string& id);

  const store::DataFolder& folder_;
  queue::JobQueue& queue_;
  Machine machine_;
  ModelChoice open_;  ///< what the studio has
  std::optional<studio::Studio> studio_;
  std::shared_ptr<pose::KeptDetector> detector_;
};

}  // namespace unianimate::worker
