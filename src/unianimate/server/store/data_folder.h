// Where everything of the service lies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace unianimate::store {

/// Of the queue's file in a data folder.
constexpr const char* kDatabaseName = "server.db";

/// Names of all files, none of which a client gives: ids of jobs are refused unless they are such.
class DataFolder {
 public:
  /// Made with all above it where it is not there, for its owner alone. Throws Error(kEnvironment).
  explicit DataFolder(std::filesystem::path root);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path database() const { return root_ / kDatabaseName; }
  [[nodiscard]] std::filesystem::path token() const { return root_ / "token"; }
  /// Of uploads that are not whole yet.
  [[nodiscard]] std::filesystem::path incoming() const { return root_ / "incoming"; }
  /// By the content, and the type that was found of it. Throws Error(kUsage) where these are none.
  [[nodiscard]] std::filesystem::path asset(std::string_view sha256, std::string_view type) const;

  /// Folder of one job; the others lie in it. All throw Error(kUsage) for what is no id of a job.
  [[nodiscard]] std::filesystem::path job(const std::string& id) const;
  /// The studio's job folder: what is done so far.
  [[nodiscard]] std::filesystem::path work(const std::string& id) const { return job(id) / "work"; }
  /// Pose pictures.
  [[nodiscard]] std::filesystem::path poses(const std::string& id) const { return job(id) / "poses"; }
  /// The report on them, and who was found in the motion.
  [[nodiscard]] std::filesystem::path poses_report(const std::string& id) const { return job(id) / "poses-report"; }
  /// What the video is called, without its ending, for as long as it is made.
  [[nodiscard]] std::filesystem::path video(const std::string& id) const { return job(id) / "result"; }
  /// The video of one attempt. `ending`: ".mp4"
  [[nodiscard]] std::filesystem::path result(const std::string& id, std::int64_t attempt,
                                             std::string_view ending) const;
  [[nodiscard]] std::filesystem::path preview(const std::string& id) const { return job(id) / "result-preview.mp4"; }

  /// Those that have files here, by their ids.
  [[nodiscard]] std::vector<std::string> jobs() const;

  /// Removes all files of the job: they are gone from its folder at once. What others still have open may stay until
  /// remove_rest(), as network file systems keep it under another name until then. Throws Error(kEnvironment).
  void remove_job(const std::string& id) const;
  /// Removes what is left of removed jobs. Throws Error(kEnvironment) where something has to stay even now.
  void remove_rest() const;
  /// Removes what is done so far.
  void remove_work(const std::string& id) const;
  /// Takes what is done so far out of the job's folder at once, for put_work_back() or remove_aside(); what nobody asks
  /// for again goes with remove_rest(). None where there is nothing. Throws Error(kEnvironment).
  [[nodiscard]] std::optional<std::filesystem::path> set_work_aside(const std::string& id) const;
  /// Throws Error(kEnvironment).
  void put_work_back(const std::filesystem::path& aside, const std::string& id) const;
  static void remove_aside(const std::filesystem::path& aside);

 private:
  std::filesystem::path root_;
};

/// $XDG_DATA_HOME/unianimate or ~/.local/share/unianimate. Throws Error(kUsage) where neither is known.
std::filesystem::path default_data_folder();

}  // namespace unianimate::store
