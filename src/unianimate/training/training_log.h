// The record of a training: one JSON object a line, and the curves drawn of it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "unianimate/core/progress.h"
#include "unianimate/training/task.h"

namespace unianimate::training {

class TrainingLog {
 public:
  /// `folder`/log.jsonl is gone on with: lines of steps after `step`, left by a process that was killed, are taken out.
  /// Where somebody else's file has that name, or that of the curves, another is taken, with a note.
  TrainingLog(const std::filesystem::path& folder, std::int64_t step, Progress& progress);

  /// Adds a line {"step": …, …}. Throws Error(kEnvironment).
  void add(std::int64_t step, const Measurements& values);

  /// Draws loss.png of the log. Throws Error(kEnvironment).
  void draw() const;

 private:
  std::filesystem::path file_;
  std::filesystem::path curves_;
};

}  // namespace unianimate::training
