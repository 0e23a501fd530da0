// Going on with a video that was stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "unianimate/distributed/process_group.h"
#include "unianimate/pipeline/plan.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/job_record.h"

namespace unianimate::studio {

struct ResumeOptions {
  bool keep = false;      ///< the job folder when the video is done, where the job itself does not ask for it
  std::int64_t redo = 0;  ///< number of a segment to make again, from 1; 0: none. The job folder is then kept
  std::optional<std::uint64_t> seed;  ///< of that segment; none: one more than it had
};

/// The machine as the job was begun on it: in its number formats, whatever this one would take beside 8 bits. Throws as
/// prepare_machine() of options.
Compute prepare_machine(const JobRecord& record);

/// Makes the rest of the video of the job in `folder`, whose record is `record`; `compute` is where the record says.
/// The processes of `group`, null for this one alone, all call this. Throws Error of every kind, Error(kInput) where
/// the job cannot go on.
FinishedVideo resume(const std::filesystem::path& folder, const JobRecord& record, const Compute& compute,
                     const ResumeOptions& options, distributed::ProcessGroup* group, JobObserver& observer);

}  // namespace unianimate::studio
