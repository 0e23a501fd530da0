#include "unianimate/cli/request_log.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "unianimate/cli/console.h"
#include "unianimate/cli/reporter.h"
#include "unianimate/core/error.h"
#include "unianimate/server/queue/job_json.h"

namespace unianimate::cli {

using nlohmann::ordered_json;

namespace {

constexpr std::size_t kMostLines = 1000;

/// Without the query, which may hold what is private.
std::string line_of(const http::Exchange& exchange, bool json) {
  const std::string time =
      queue::time_text(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  if (!json) {
    constexpr double kMilliseconds = 1000;
    return fmt::format("{} {} {} {} {} {:.1f} ms{}{}\n", time, exchange.address, printable(exchange.method),
                       printable(exchange.path), exchange.status, exchange.seconds * kMilliseconds,
                       exchange.failure.empty() ? "" : ": ", printable(exchange.failure, kMessageBytes));
  }
  const ordered_json line{
      {"event", "request"},         {"time", time},          {"request_id", exchange.id}, {"address", exchange.address},
      {"method", exchange.method},  {"path", exchange.path}, {"status", exchange.status}, {"seconds", exchange.seconds},
      {"failure", exchange.failure}};
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

RequestLog::RequestLog(bool json) : json_(json), lines_(kMostLines), writer_([this] { write(); }) {}

RequestLog::~RequestLog() {
  lines_.close();
  writer_.join();
}

void RequestLog::add(const http::Exchange& exchange) {
  if (!lines_.try_push(line_of(exchange, json_))) ++lost_;
}

void RequestLog::write() {
  while (const auto line = lines_.pop()) {
    write_text(stderr, *line);
    const std::size_t lost = lost_.exchange(0);
    if (lost == 0) continue;
    const std::string told = json_ ? ordered_json{{"event", "lost_lines"}, {"lines", lost}}.dump()
                                   : fmt::format("note: {} lines on requests were not written: nobody took them", lost);
    write_text(stderr, told + "\n");
  }
}

}  // namespace unianimate::cli
