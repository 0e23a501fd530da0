// What the data folder holds, known without looking at it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

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
  /// `folder` has to outlive this.
  explicit DiskAccount(const DataFolder& folder);

  [[nodiscard]] DiskUse use() const;
  [[nodiscard]] std::uintmax_t bytes_of_job(const std::string& id) const;

  /// Looks at every file.
  void count();
  /// Looks at the files of one job, which has ended.
  void count_job(const std::string& id);
  void forget_job(const std::string& id);
  void add_asset(std::int64_t bytes);
  void remove_asset(std::int64_t bytes);
  /// Bytes of files on their way through this process; fewer where one has arrived or was given up.
  void add_incoming(std::int64_t bytes);

 private:
  struct JobUse {
    std::uintmax_t work = 0;
    std::uintmax_t results = 0;
  };
  [[nodiscard]] JobUse look_at_job(const std::string& id) const;
  void put_job(const std::string& id, const JobUse* use);

  const DataFolder& folder_;
  mutable std::mutex mutex_;
  DiskUse use_;                         ///< all but what is on its way through this process, and the database
  std::map<std::string, JobUse> jobs_;  ///< what of use_ is theirs
  std::uintmax_t own_incoming_ = 0;
};

}  // namespace unianimate::store
