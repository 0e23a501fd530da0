// How long work reports to whoever watches it, and how it is asked to stop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unianimate {

/// Handed down the whole path of a request. Called from the thread that does the work, except `cancelled`, which may
/// be asked from any thread. The default does nothing, so a caller overrides only what it wants to see.
class Progress {
 public:
  virtual ~Progress() = default;

  /// A phase begins ("load models", "sample", ...) that takes `total` steps (0: not known).
  virtual void begin_phase(std::string_view name, std::int64_t total) {
    (void)name;
    (void)total;
  }
  /// `done` steps of the current phase are finished.
  virtual void step(std::int64_t done) { (void)done; }
  /// Something a person should know: what was adjusted or assumed, and why. One sentence.
  virtual void note(const std::string& message) { (void)message; }
  /// True once the caller wants the work to stop.
  [[nodiscard]] virtual bool cancelled() const { return false; }

  /// Throws Error(kCancelled) once cancelled() is true; long loops call it between steps.
  void throw_if_cancelled() const;
};

}  // namespace unianimate
