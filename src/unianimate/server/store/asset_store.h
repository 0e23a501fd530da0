// The files that jobs are made from, each content once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "unianimate/media/film/sha256.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::store {

/// A file on its way into the store: written piece by piece, and hashed as it comes. Without finish() nothing is left.
/// Belongs to one thread at a time.
class AssetWriter {
 public:
  /// Throws DiskFull, and Error(kEnvironment) where no file can be made.
  explicit AssetWriter(const DataFolder& folder);
  ~AssetWriter();
  AssetWriter(const AssetWriter&) = delete;
  AssetWriter& operator=(const AssetWriter&) = delete;

  /// Throws DiskFull, Error(kEnvironment).
  void write(std::string_view bytes);
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

  /// Its place and row, when all is written; whether the content is new. `name`: what its owner calls it. Throws
  /// Error(kInput) where it is nothing that a job can be made from, DiskFull, Error(kEnvironment).
  std::pair<queue::AssetRow, bool> finish(queue::JobQueue& queue, const std::optional<std::string>& name);

 private:
  const DataFolder& folder_;
  std::filesystem::path file_;
  int descriptor_;
  Sha256 hash_;
  std::string beginning_;
  std::int64_t bytes_ = 0;
};

/// A copy of a file of this machine, so that the original may go. Throws Error(kInput) where it cannot be read or is
/// nothing that a job can be made from, Error(kEnvironment).
queue::AssetRow store_file(const DataFolder& folder, queue::JobQueue& queue, const std::filesystem::path& file);

/// Removes what ended processes left of files on their way.
void clear_incoming(const DataFolder& folder);

/// Where the content of an asset lies.
std::filesystem::path file_of(const DataFolder& folder, const queue::AssetRow& asset);

/// Removes it unless a job needs it or it was sent or used after `last_use`; whether it is gone.
bool remove_asset(const DataFolder& folder, queue::JobQueue& queue, const queue::AssetRow& asset,
                  double last_use = std::numeric_limits<double>::infinity());

}  // namespace unianimate::store
