// One writer of files and their rows.
#pragma once

#include <chrono>

#include "unianimate/core/error_causes.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::store {

/// Somebody else is at the files; later it works.
class StoreBusy : public ErrorOf<ErrorKind::kEnvironment> {
 public:
  using ErrorOf::ErrorOf;
};

/// Of the lock's file in assets/.
constexpr const char* kStoreLockName = ".lock";

/// A file of assets/ and its row appear and go together: one holder at a time, on however many machines, sees to that.
class StoreLock {
 public:
  static constexpr std::chrono::milliseconds kPatience{5'000};

  /// Waits for it. Throws StoreBusy saying who has it after so long, and Error(kEnvironment) where there can be none.
  explicit StoreLock(const DataFolder& folder, std::chrono::milliseconds patience = kPatience);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace unianimate::store
