// What the data folder holds, known without looking at it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "unianimate/server/queue/job.h"
#include "unianimate/server/store/data_folder.h"

namespace unianimate::store {

/// Bytes in the data folder.
struct DiskUse {
  std::uintmax_t assets = 0;
  std::uintmax_t incoming = 0;
  std::uintmax_t work = 0;     ///< what is saved of unfinished jobs
  std::uintmax_t results = 0;  ///< all else of jobs
  std::uintmax_t database = 0;

  [[nodiscard]] std::uintmax_t total() const { return assets + incoming + work + results + database; }
};
/// Looks at every file.
DiskUse disk_use(const DataFolder& folder);

/// What is free where the folder lies; none where the file system does not know.
std::optional<std::uintmax_t> free_bytes(const DataFolder& folder);

/// The same as disk_use() in a time that does not depend on how much there is: every file is looked at when this is
/// made and by count(), and whoever knows of a change in between says so. What nobody says, such as the growing work of
/// a job that runs, is known from the next count() on. May be used from several threads.
class DiskAccount {
 public:
  using Stopping = std::function<bool()>;
  static bool never() { return false; }

  /// `folder` has to outlive this. Throws Error(kCancelled) once `stopping`, which is asked while files are looked at,
  /// says so.
  explicit DiskAccount(const DataFolder& folder, const Stopping& stopping = never);

  [[nodiscard]] DiskUse use() const;
  [[nodiscard]] std::uintmax_t bytes_of_job(const std::string& id) const;

  /// Looks at every file; what is said meanwhile is kept. False once `stopping` says so: all is as it was.
  bool count(const Stopping& stopping = never);
  /// Looks at the files of one job, but those of its work where that is about to go.
  void count_job(const std::string& id, bool work_stays = true);
  void forget_job(const std::string& id);
  void add_asset(const queue::AssetRow& asset);
  void remove_asset(const queue::AssetRow& asset);
  /// Bytes of files on their way through this process; fewer where one has arrived or was given up.
  void add_incoming(std::int64_t bytes);

 private:
  struct JobUse {
    std::uintmax_t work = 0;
    std::uintmax_t results = 0;
  };
  using Jobs = std::map<std::string, JobUse>;
  using Files = std::map<std::string, std::uintmax_t>;  ///< of assets/, by their names
  /// What was said while all files were looked at, and may have been seen or not.
  struct Journal {
    std::map<std::string, std::optional<JobUse>> jobs;
    Files assets;
  };
  [[nodiscard]] JobUse look_at_job(const std::string& id, const Stopping& stopping) const;
  [[nodiscard]] bool look(Files& assets, Jobs& jobs, const Stopping& stopping) const;
  void put_job(const std::string& id, const std::optional<JobUse>& use);
  [[nodiscard]] std::string name_of(const queue::AssetRow& asset) const;

  const DataFolder& folder_;
  std::mutex counting_;  ///< one at a time
  mutable std::mutex mutex_;
  std::optional<Journal> journal_;  ///< while all files are looked at
  DiskUse use_;                     ///< all but what is on its way through this process, and the database
  Jobs jobs_;                       ///< what of use_ is theirs
  std::uintmax_t own_incoming_ = 0;
};

}  // namespace unianimate::store
