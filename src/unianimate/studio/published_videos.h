// The videos of a published configuration file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/distributed/process_group.h"
#include "unianimate/family/runtime_options.h"
#include "unianimate/media/pictures/color.h"
#include "unianimate/studio/job_keeping.h"
#include "unianimate/studio/job_observer.h"
#include "unianimate/studio/published_config.h"

namespace unianimate::studio {

struct PublishedOrder {
  std::filesystem::path config;
  ConfigOptions options;
  std::filesystem::path output_folder = "outputs";  ///< made where it is missing
  std::optional<Color> background = std::nullopt;   ///< shows where references are transparent
  family::DecoderChoice decoder = family::DecoderChoice::kFull;
  int interpolate = 1;         ///< as of VideoJob
  bool result_only = false;    ///< the plain result instead of three columns
  bool skip_existing = false;  ///< leave out videos that are there, with a note
  std::string models = {};     ///< folder instead of the configuration's files; empty: these
  int threads = 0;             ///< of the encoder
  JobKeeping keeping = {};
};

/// Makes all videos, named as the published program names them: a file of somebody else under such a name is not
/// replaced, and a note says what is written instead. Notes tell of keys without effect. All processes of `group`,
/// which may be this one alone, call this and leave out what the first one sees. Throws Error of every kind,
/// Error(kUsage) where the configuration names some of the models only, Error(kInput) where one is missing or of other
/// sizes.
std::vector<FinishedVideo> make_published(const PublishedOrder& order, const family::RuntimeOptions& runtime,
                                          distributed::ProcessGroup& group, JobObserver& observer);

/// Likewise tells observer.planned() of each, and writes nothing.
void plan_published(const PublishedOrder& order, const family::RuntimeOptions& runtime,
                    distributed::ProcessGroup& group, JobObserver& observer);

}  // namespace unianimate::studio
