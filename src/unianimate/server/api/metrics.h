// Measures in Prometheus' text format (0.0.4).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unianimate/server/http/listener.h"

namespace unianimate::server {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

/// Lines of one answer to Prometheus.
class MetricsText {
 public:
  /// What the following values are of: "gauge", "counter" or "histogram".
  void begin(std::string_view name, std::string_view type, std::string_view help);
  /// `suffix`: of parts of a histogram, "_bucket".
  void value(double value, const Labels& labels = {}, std::string_view suffix = {});

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::string name_;
};

/// How many values lie within which bounds.
class Histogram {
 public:
  /// In ascending order; they have to outlive this.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds), within_(bounds.size()) {}

  void add(double value, std::uint64_t times = 1);
  /// After MetricsText::begin().
  void write(MetricsText& text, const Labels& labels = {}) const;

 private:
  std::span<const double> bounds_;
  std::vector<std::uint64_t> within_;  ///< values no larger than the bound
  std::uint64_t all_ = 0;
  double sum_ = 0;
};

/// Counts the requests that were answered. May be used from several threads.
class RequestCount {
 public:
  void add(const http::Exchange& exchange);
  void write(MetricsText& text) const;

 private:
  static constexpr std::array kBounds{0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0};

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> counts_;  ///< by route and status
  Histogram seconds_{kBounds};
};

}  // namespace unianimate::server
