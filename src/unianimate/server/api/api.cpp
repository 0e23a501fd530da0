#include "unianimate/server/api/api.h"

#include <fmt/format.h>

#include "unianimate/server/api/document.h"
#include "unianimate/server/store/store_lock.h"

namespace unianimate::server {

namespace {

[[noreturn]] void refuse_for_now(std::string_view what, const Error& cause) {
  throw http::Refused(http::make_problem(http::problems::kNotReady,
                                         fmt::format("{} at the moment; nothing is lost, ask again later", what),
                                         std::chrono::seconds(5)),
                      cause.what());
}

}  // namespace

std::unique_ptr<queue::JobQueue> QueuePool::take() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<queue::JobQueue> queue = std::move(idle_.back());
      idle_.pop_back();
      return queue;
    }
  }
  return open();
}

std::unique_ptr<queue::JobQueue> QueuePool::open() {
  {
    const std::scoped_lock lock(mutex_);
    if (closed_until_ && Clock::now() < *closed_until_) {
      throw queue::DatabaseUnavailable("the queue's database could not be reached just now, and is not tried yet");
    }
    if (closed_until_) closed_until_ = Clock::time_point::max();
  }
  std::optional<Clock::time_point> closed_until;
  const auto settle = [&] {
    const std::scoped_lock lock(mutex_);
    closed_until_ = closed_until;
  };
  try {
    auto queue = std::make_unique<queue::JobQueue>(queue::open_database(place_));
    settle();
    return queue;
  } catch (const queue::DatabaseFull&) {
    settle();
    throw;
  } catch (const queue::DatabaseUnavailable&) {
    closed_until = Clock::now() + pause_;
    settle();
    throw;
  } catch (...) {
    settle();
    throw;
  }
}

void QueuePool::refuse(std::unique_ptr<queue::JobQueue> queue) {
  try {
    throw;
  } catch (const queue::DatabaseFull& error) {
    throw http::Refused(http::make_problem(http::problems::kQuotaExceeded,
                                           "the disk of the server's queue is full; nothing is lost, make room there"),
                        error.what());
  } catch (const queue::DatabaseUnavailable& error) {
    refuse_for_now("the server's queue cannot be reached", error);
  } catch (const store::StoreBusy& error) {
    give_back(std::move(queue));
    refuse_for_now("the server's files are in use", error);
  } catch (const queue::UnfitText& error) {
    give_back(std::move(queue));
    throw http::Refused(http::problems::kInvalidRequest, error.what());
  } catch (const http::Refused&) {
    give_back(std::move(queue));
    throw;
  }
}

void QueuePool::give_back(std::unique_ptr<queue::JobQueue> queue) {
  if (!queue) return;
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(queue));
}

Api::Api(const std::filesystem::path& data, ApiOptions options)
    : folder_(data),
      queues_({folder_.database(), options.queue_url}),
      schemas_(openapi_document()),
      options_(std::move(options)),
      sweeper_(make_sweeper()) {}

std::unique_ptr<store::Sweeper> Api::make_sweeper() const {
  queue::JobQueue queue(queue::open_database(queues_.place()));
  return std::make_unique<store::Sweeper>(folder_, queue, options_.retention, options_.stopping);
}

void Api::require_room(std::uintmax_t bytes) {
  const auto refusal = queues_.with([&](queue::JobQueue& queue) { return sweeper_->refusal(queue, bytes); });
  if (refusal) throw http::Refused(http::problems::kQuotaExceeded, *refusal);
}

void Api::require_writable() {
  constexpr std::chrono::seconds kHolds{5};
  const std::scoped_lock lock(writable_mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (writable_ && now - *writable_ < kHolds) return;
  queues_.with([](queue::JobQueue& queue) {
    queue.require_writable();
    return true;
  });
  writable_ = now;
}

void Api::add_routes(http::Router& router, const http::AccessRules& access) {
  add_asset_routes(router, *this);
  add_job_routes(router, *this);
  add_file_routes(router, *this);
  add_queue_routes(router, *this);
  add_system_routes(router, *this);
  add_video_routes(router, *this);
  add_session_routes(router, *this, access);
}

}  // namespace unianimate::server
