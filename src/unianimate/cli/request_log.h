// What a service says of its requests.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>

#include "unianimate/core/bounded_queue.h"
#include "unianimate/server/serve/serve.h"

namespace unianimate::cli {

/// Writes a line on stderr for each request, by a thread of its own: who reads them slowly, or not at all, holds up no
/// answer, and loses lines, of which there is a count.
class RequestLog {
 public:
  /// `json`: an object a line.
  explicit RequestLog(bool json);
  /// Writes what is left.
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  void add(const http::Exchange& exchange);

 private:
  void write();

  bool json_;
  std::atomic<std::size_t> lost_{0};
  BoundedQueue<std::string> lines_;
  std::thread writer_;
};

}  // namespace unianimate::cli
