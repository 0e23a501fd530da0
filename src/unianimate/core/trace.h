// Where the time goes, for a viewer of traces (chrome://tracing, ui.perfetto.dev).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace unianimate {

/// Writes phases, their steps and the operators that this thread computes, as they end, in the format "JSON Object
/// Format" of Chrome's trace events: rows "phases", "steps" and "operators", times in microseconds from the beginning.
/// Used by one thread, which has one at a time; whatever is written in between costs it some microseconds for each
/// operator. No more than kMostOperators are written.
class Trace {
 public:
  static constexpr std::int64_t kMostOperators = 2'000'000;

  /// Throws Error(kUsage) where something stands at `file` that is no such trace of this program, Error(kEnvironment)
  /// where it cannot be written.
  explicit Trace(const std::filesystem::path& file);
  /// Calls finish() and passes over what that throws.
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// The phase before, where there is one, ends.
  void begin_phase(std::string_view name);
  /// The step number `done` (from 1) of the phase ends.
  void step(std::int64_t done);

  /// The file is then whole and in its place; where there was no phase there is none. Throws Error(kUsage) where
  /// something else stands there by now, Error(kEnvironment) where it could not be written. Nothing is called after it.
  void finish();

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace unianimate
