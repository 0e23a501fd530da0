// For other programs: one JSON object a line on stdout.
//
// Every object has "event", and by it:
//   video   "index" (from 0), "count", "output": the next video is begun
//   phase   "name", "total" (steps, 0: not known)
//   step    "phase", "done", "total", "seconds_left" (null where not known); at most ten a second, and the last one
//   note    "message"; of serve on stderr
//   plan    (--dry-run) "output", "width", "height", "frames", "frame_interval", "timesteps", "windows", "unet_calls",
//           "seed", "conditions" (a list), "background", "device", "dtype", "estimated_bytes", "estimated_seconds" (in
//           all, one process doing it), "estimated_phases" (a list of {"name", "seconds", "operations",
//           "operations_per_second"}, the last two null where nothing is counted), "keeps_all_models", "notes" (a
//           list), "frames_per_second", "interpolation" (null, else "times", "frames" and "frames_per_second" with
//           those guessed between), "segments", "request" (as in job.json), "audio" (a file, or null), "motion" (null
//           where the poses are there, else "file", "poses" and what the options say that concern it), "job" ("folder",
//           null where none is kept, "save_every", "keep", "preview_every", "preview_decoded"), "machine" ("unet",
//           "autoencoder", "clip", "small_decoder" (null where there is none), "loras", "device", "dtype", "threads",
//           "memory_budget", "latent_memory"), "processes"
//   alignment_plan  (--dry-run of align) "output", "reference" (null with --detect-only), "width", "height" (of the
//           pose pictures), "frames_per_second", "detect_only", "models", "background", "openpose", "comfyui" (null
//           where none is asked for), "motion" as of a plan
//   evaluation_plan  (--dry-run of evaluate) "output", "first_person", "last_person", "motion", "frames", "width",
//           "height", "frames_per_second", "reconstruction", "videos", "machine", "settings" (a list of {"conditions",
//           "unet_calls_per_video", "strategy" where there are some, "request"}), "unet_calls", "estimated_bytes",
//           "estimated_seconds"
//   service_plan  (--dry-run of serve) "listen", "data", "models", "workers" (a list of {"lane", "command",
//   "environment"}),
//           "paused", "max_upload", "max_queue", "quota" (null: that of the first start), "keep" (seconds),
//           "host_names", "origins", "token", "token_file" (null: that of the data folder)
//   listening  "url": a service answers there; the first line it writes
//   result  "output", "width", "height", "frames", "interpolation" (as of a plan), "seconds", "unet_calls",
//   "processes", "phases" (a list of
//           {"name", "seconds", "peak_bytes", "operations", "operations_per_second"}), "notes" (a list)
//   poses   "output", "report", "width", "height", "frames", "frames_per_second", "frames_found", "frames_looked_at",
//           "from_cache", "detection_seconds", "detector", "alignment", "scale_x", "scale_y", "bones" (a list of
//           {"bone", "ratio", "source"}), "missing_frames" (a list), "notes" (a list): a motion was aligned
//   people  "output", "width", "height", "frames", "frames_per_second", "detector", "tracks" (a list of {"track",
//           "frames"}): a motion was looked through
//   quality "output", and what quality.json holds (docs/evaluation.md): a model was measured
//   error   "message", "exit_status"; the message is on stderr as well
//
// Whoever reads them may stop: video, phase, step and note are then lost and the work goes on, but where any other
// object cannot be written the program ends with exit status 4 once the work is done.
#pragma once

#include <chrono>
#include <cstdio>
#include <nlohmann/json_fwd.hpp>

#include "unianimate/cli/reporter.h"

namespace unianimate::cli {

class JsonReporter final : public Reporter {
 public:
  /// `quiet`: neither phases nor steps nor notes. `notes`: where these go, stdout or stderr.
  explicit JsonReporter(bool quiet, std::FILE* notes = stdout) : quiet_(quiet), notes_(notes) {}

  void note(const std::string& message) override;
  void begin_video(const VideoJob& job, std::size_t index, std::size_t count) override;
  void planned(const PlannedVideo& video) override;
  void finished(const FinishedVideo& video) override;
  void aligned(const AlignedMotion& motion) override;
  void detected(const DetectedMotion& motion) override;
  void failed(const std::string& message, int exit_status) override;

 protected:
  void show_progress(bool phase_begins) override;

 private:
  bool quiet_;
  std::FILE* notes_;
  std::chrono::steady_clock::time_point last_step_;
};

/// Prints the object as one line on stdout; text that is not UTF-8 is made so.
void print_json_line(const nlohmann::ordered_json& object);

}  // namespace unianimate::cli
