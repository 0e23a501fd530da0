// Where the work stands, told and written down.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "unianimate/core/progress.h"
#include "unianimate/pipeline/phase.h"

namespace unianimate::pipeline {

/// Tells phases as they begin and writes down what each took when it ends, the last one when this goes.
class PhaseLog {
 public:
  /// All must outlive this. `begins` may be empty.
  PhaseLog(std::vector<Phase>& phases, const std::function<void(const PhasePlace&)>& begins, Progress& progress)
      : phases_(phases), begins_(begins), progress_(progress) {}
  ~PhaseLog() { end(); }
  PhaseLog(const PhaseLog&) = delete;
  PhaseLog& operator=(const PhaseLog&) = delete;

  /// Of `total` steps; 0: not known. `operations`: see Phase.
  void begin(const PhasePlace& place, std::int64_t total, double operations = 0);

 private:
  void end();

  std::vector<Phase>& phases_;
  const std::function<void(const PhasePlace&)>& begins_;
  Progress& progress_;
  std::optional<PhasePlace> present_;
  double operations_ = 0;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace unianimate::pipeline
