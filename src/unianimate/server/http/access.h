// Who may speak to this server: names it goes by, sites whose pages may call it, token and session cookie.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/server/http/message.h"

namespace unianimate::http {

/// Counts what fails of each address within a minute. May be used from any thread.
class FailureCount {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMostAMinute = 10;
  static constexpr std::size_t kMostAddresses = 1024;  ///< then the oldest is forgotten

  void add(const std::string& address, Clock::time_point now = Clock::now());
  [[nodiscard]] bool exceeded(const std::string& address, Clock::time_point now = Clock::now()) const;

 private:
  struct Minute {
    Clock::time_point begin;
    std::size_t failures = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Minute> minutes_;
};

struct AccessRules {
  std::vector<std::string> hosts;    ///< with the port, as the header Host has them: "127.0.0.1:8720"
  std::vector<std::string> origins;  ///< further ones: "https://example.org"
  std::string token;                 ///< empty: none is asked for
  std::string session_cookie = "unianimate_session";
  std::function<bool(std::string_view cookie)> is_session = {};
  std::shared_ptr<FailureCount> failures = std::make_shared<FailureCount>();
};

/// Nothing where the request may go on; else wrong-host, cross-origin, unauthorized or too-many. `open`: no token is
/// needed here.
std::optional<Problem> check_access(const Request& request, const AccessRules& rules, bool open);

/// Whether the request's Origin is one of the further ones, whose pages may read the answer.
bool is_allowed_origin(const Request& request, const AccessRules& rules);

/// Nothing for the right token, whatever came before; else unauthorized, and too-many once that many of the address
/// were wrong.
std::optional<Problem> check_token(std::string_view given, const std::string& address, const AccessRules& rules);

/// Takes as long wherever the two differ.
bool same_secret(std::string_view left, std::string_view right) noexcept;

}  // namespace unianimate::http
