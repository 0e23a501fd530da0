// The face of the library: open models once, make videos as often as wanted.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "unianimate/core/output_rule.h"
#include "unianimate/distributed/process_group.h"
#include "unianimate/family/family.h"
#include "unianimate/family/model_files.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/studio/job_keeping.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/video_job.h"
#include "unianimate/studio/video_order.h"

namespace unianimate::studio {

/// Not thread-safe, but several may be at work in one process, each in a thread of its own.
///
/// The processes of a group all make the same calls and share each video; the first alone writes and tells its
/// observer. All calls throw Error of every kind; videos finished before stay, and so does the job folder of one that
/// is not.
class Studio {
 public:
  /// Models of a folder, which is looked at when something needs them: whatever can be said without them is said
  /// before. `group`: processes that share the work, which must outlive the studio; null: this one alone.
  static Studio open(const std::filesystem::path& models, const family::RuntimeOptions& runtime,
                     distributed::ProcessGroup* group = nullptr);
  /// The same with files that may lie anywhere.
  static Studio open(const family::ModelFiles& files, const family::RuntimeOptions& runtime,
                     distributed::ProcessGroup* group = nullptr);
  ~Studio();
  Studio(Studio&&) noexcept;
  Studio& operator=(Studio&&) noexcept;

  /// The models, which are opened once, at the first call or what else needs them.
  family::Family& models();

  /// Makes one video, its poses first. Notes and phases are those of prepare_poses() and pipeline::animate().
  FinishedVideo make(const VideoOrder& order, JobObserver& observer);

  /// Makes videos whose pose pictures are there, one after another with the models loaded once; all are planned before
  /// the first one is begun.
  std::vector<FinishedVideo> make(std::vector<VideoJob> jobs, const JobKeeping& keeping, JobObserver& observer);

  /// Goes through everything that make() does before the work, and tells observer.planned() what that would be.
  void plan(const VideoOrder& order, JobObserver& observer);
  void plan(std::vector<VideoJob> jobs, const JobKeeping& keeping, JobObserver& observer);

 private:
  struct State;
  class Session;
  explicit Studio(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace unianimate::studio
