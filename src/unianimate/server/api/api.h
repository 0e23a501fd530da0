// The service's own interface: routes over the queue and the data folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "unianimate/server/api/job_measures.h"
#include "unianimate/server/api/metrics.h"
#include "unianimate/server/api/schema_check.h"
#include "unianimate/server/http/access.h"
#include "unianimate/server/http/router.h"
#include "unianimate/server/queue/job_queue.h"
#include "unianimate/server/queue/queue_place.h"
#include "unianimate/server/store/data_folder.h"
#include "unianimate/server/store/sweeper.h"

namespace unianimate::server {

/// Connections to the queue, each of which belongs to one thread at a time. A database that could not be reached is
/// tried again by one thread at a time and not at once, so that the others have answers meanwhile.
class QueuePool {
 public:
  using Clock = std::chrono::steady_clock;

  /// `pause`: from one vain try to the next.
  explicit QueuePool(queue::QueuePlace place, std::chrono::milliseconds pause = std::chrono::seconds(2))
      : place_(std::move(place)), pause_(pause) {}

  [[nodiscard]] const queue::QueuePlace& place() const { return place_; }

  /// Lends a connection to `work`, which gives something back. Throws what it throws, and http::Refused: not-ready
  /// where the database is out of reach or the files are in use, quota-exceeded where its disk is full, invalid-request
  /// for text that it cannot keep.
  template <typename Work>
  auto with(const Work& work) {
    std::unique_ptr<queue::JobQueue> queue;
    try {
      queue = take();
      auto result = work(*queue);
      give_back(std::move(queue));
      return result;
    } catch (...) {
      refuse(std::move(queue));
    }
  }

 private:
  /// Throws what is being thrown as with() says. Only a connection whose database failed is not used again.
  [[noreturn]] void refuse(std::unique_ptr<queue::JobQueue> queue);
  std::unique_ptr<queue::JobQueue> take();
  /// Throws queue::DatabaseUnavailable without a try where that would be vain.
  std::unique_ptr<queue::JobQueue> open();
  void give_back(std::unique_ptr<queue::JobQueue> queue);

  queue::QueuePlace place_;
  std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<queue::JobQueue>> idle_;
  std::optional<Clock::time_point> closed_until_;  ///< the last try was vain; the end of time while there is another
};

struct ApiOptions {
  std::string queue_url = {};         ///< as queue::QueuePlace::url
  std::string version;                ///< of the program
  std::filesystem::path models = {};  ///< folder of those that jobs may name
  bool knows_models = true;           ///< workers have just these; else a job may name any
  std::int64_t most_jobs = 1000;      ///< waiting
  store::Retention retention = {};
  std::function<bool()> stopping = store::DiskAccount::never;  ///< as of store::Sweeper
};

/// What all routes share. They may run in several threads at once.
class Api {
 public:
  Api(const std::filesystem::path& data, ApiOptions options);

  /// All routes; the access rules are asked for tokens and sessions, and have to outlive the router.
  void add_routes(http::Router& router, const http::AccessRules& access);
  /// Whether a cookie is one that the routes gave out for this token.
  bool is_session(std::string_view cookie, std::string_view token);

  const store::DataFolder& folder() const { return folder_; }
  QueuePool& queues() { return queues_; }
  const SchemaCheck& schemas() const { return schemas_; }
  const ApiOptions& options() const { return options_; }
  RequestCount& requests() { return requests_; }
  JobMeasures& measures() { return measures_; }
  store::Sweeper& sweeper() { return *sweeper_; }

  /// Throws http::Refused(quota-exceeded) where so many bytes more have no place, even after a sweep.
  void require_room(std::uintmax_t bytes);

  /// Throws as queues() where the database takes no changes. That it does is taken for granted for some seconds, as
  /// everybody may ask.
  void require_writable();

  /// Open streams of events; set by whoever has the listener.
  std::function<std::size_t()> streams = [] { return std::size_t{0}; };

 private:
  [[nodiscard]] std::unique_ptr<store::Sweeper> make_sweeper() const;

  store::DataFolder folder_;
  QueuePool queues_;
  SchemaCheck schemas_;
  ApiOptions options_;
  RequestCount requests_;
  JobMeasures measures_;
  std::unique_ptr<store::Sweeper> sweeper_;
  std::mutex writable_mutex_;
  std::optional<std::chrono::steady_clock::time_point> writable_;  ///< when it was last
};

// Parts of add_routes().
void add_asset_routes(http::Router& router, Api& api);
void add_job_routes(http::Router& router, Api& api);
void add_file_routes(http::Router& router, Api& api);
void add_queue_routes(http::Router& router, Api& api);
void add_system_routes(http::Router& router, Api& api);
void add_video_routes(http::Router& router, Api& api);
void add_session_routes(http::Router& router, Api& api, const http::AccessRules& access);

}  // namespace unianimate::server
