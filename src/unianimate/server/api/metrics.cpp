#include "unianimate/server/api/metrics.h"

#include <fmt/format.h>

namespace unianimate::server {

namespace {

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '\\' || letter == '"') safe.push_back('\\');
    safe += letter == '\n' ? "\\n" : std::string(1, letter);
  }
  return safe;
}

}  // namespace

void MetricsText::begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::value(double value, const Labels& labels, std::string_view suffix) {
  std::string inside;
  for (const auto& [key, text] : labels) {
    inside += fmt::format("{}{}=\"{}\"", inside.empty() ? "" : ",", key, escaped(text));
  }
  if (!inside.empty()) inside = "{" + inside + "}";
  text_ += fmt::format("{}{}{} {}\n", name_, suffix, inside, value);
}

void RequestCount::add(const http::Exchange& exchange) {
  const std::scoped_lock lock(mutex_);
  ++counts_[{exchange.route, exchange.status}];
  ++all_;
  seconds_ += exchange.seconds;
  for (std::size_t i = 0; i < kBounds.size(); ++i) within_[i] += exchange.seconds <= kBounds[i] ? 1U : 0U;
}

void RequestCount::write(MetricsText& text) const {
  const std::scoped_lock lock(mutex_);
  text.begin("unianimate_http_requests_total", "counter", "Requests that were answered");
  for (const auto& [key, count] : counts_) {
    text.value(static_cast<double>(count), {{"route", key.first}, {"status", fmt::to_string(key.second)}});
  }
  text.begin("unianimate_http_request_seconds", "histogram", "Seconds until requests were answered");
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    text.value(static_cast<double>(within_[i]), {{"le", fmt::to_string(kBounds[i])}}, "_bucket");
  }
  text.value(static_cast<double>(all_), {{"le", "+Inf"}}, "_bucket");
  text.value(seconds_, {}, "_sum");
  text.value(static_cast<double>(all_), {}, "_count");
}

}  // namespace unianimate::server
