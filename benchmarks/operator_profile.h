// Where the time of a computation goes, by ATen operator.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace unianimate::benchmarks {

struct OperatorTime {
  std::string name;
  long calls = 0;
  double seconds = 0;  ///< in the operator itself, without those it calls
};

/// Runs `work` once on this thread and returns its operators, the slowest first.
std::vector<OperatorTime> profile_operators(const std::function<void()>& work);

}  // namespace unianimate::benchmarks
