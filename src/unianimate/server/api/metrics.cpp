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

void Histogram::add(double value, std::uint64_t times) {
  all_ += times;
  sum_ += value * static_cast<double>(times);
  for (std::size_t i = 0; i < bounds_.size(); ++i) within_[i] += value <= bounds_[i] ? times : 0U;
}

void Histogram::write(MetricsText& text, const Labels& labels) const {
  const auto bucket = [&](const std::string& bound, std::uint64_t count) {
    Labels all = labels;
    all.emplace_back("le", bound);
    text.value(static_cast<double>(count), all, "_bucket");
  };
  for (std::size_t i = 0; i < bounds_.size(); ++i) bucket(fmt::to_string(bounds_[i]), within_[i]);
  bucket("+Inf", all_);
  text.value(sum_, labels, "_sum");
  text.value(static_cast<double>(all_), labels, "_count");
}

void RequestCount::add(const http::Exchange& exchange) {
  const std::scoped_lock lock(mutex_);
  ++counts_[{exchange.route, exchange.status}];
  seconds_.add(exchange.seconds);
}

void RequestCount::write(MetricsText& text) const {
  const std::scoped_lock lock(mutex_);
  text.begin("unianimate_http_requests_total", "counter", "Requests that were answered");
  for (const auto& [key, count] : counts_) {
    text.value(static_cast<double>(count), {{"route", key.first}, {"status", fmt::to_string(key.second)}});
  }
  text.begin("unianimate_http_request_seconds", "histogram", "Seconds until requests were answered");
  seconds_.write(text);
}

}  // namespace unianimate::server
