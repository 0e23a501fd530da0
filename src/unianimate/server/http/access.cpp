#include "unianimate/server/http/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "unianimate/core/error.h"

namespace unianimate::http {

namespace {

constexpr std::chrono::minutes kMinute{1};

bool is_one_of(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& one) { return same_name(one, name); });
}

bool changes_something(const Request& request) {
  return request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
}

/// "http://localhost:8720" of the Host "localhost:8720"; behind a proxy it may be https.
bool is_origin_of(std::string_view origin, std::string_view host) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view name = origin.substr(0, scheme);
  return (name == "http" || name == "https") && same_name(origin.substr(scheme + 3), host);
}

std::optional<Problem> check_site(const Request& request, const AccessRules& rules) {
  const auto host = request.header("Host");
  if (!host || !is_one_of(rules.hosts, *host)) {
    return make_problem(problems::kWrongHost,
                        fmt::format("the request is for '{}'; --host-name NAME lets the server go by that name",
                                    printable(host.value_or("nobody"))));
  }
  if (request.header_count("Origin") == 0) return std::nullopt;
  const auto origin = request.header("Origin");
  if (origin && (is_origin_of(*origin, *host) || is_allowed_origin(request, rules))) return std::nullopt;
  return make_problem(problems::kCrossOrigin,
                      fmt::format("pages of '{}' may not call this server; --allow-origin lets them",
                                  printable(origin.value_or("several origins"))));
}

/// A cookie goes along whoever made the browser send the request, so it has to be a page of ours.
std::optional<Problem> check_cookie_use(const Request& request) {
  if (!changes_something(request) || request.header("Origin") || request.header("Sec-Fetch-Site") == "same-origin") {
    return std::nullopt;
  }
  return make_problem(problems::kCrossOrigin,
                      "a change with a cookie needs the header Origin, or Sec-Fetch-Site: same-origin");
}

Problem unauthorized(std::string detail) {
  Problem problem = make_problem(problems::kUnauthorized, std::move(detail));
  problem.headers.push_back({"WWW-Authenticate", "Bearer"});
  return problem;
}

}  // namespace

void FailureCount::add(const std::string& address, Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  if (minutes_.size() >= kMostAddresses && minutes_.count(address) == 0) {
    minutes_.erase(std::min_element(minutes_.begin(), minutes_.end(), [](const auto& left, const auto& right) {
      return left.second.begin < right.second.begin;
    }));
  }
  Minute& minute = minutes_.try_emplace(address, Minute{now}).first->second;
  if (now - minute.begin >= kMinute) minute = {now};
  ++minute.failures;
}

bool FailureCount::exceeded(const std::string& address, Clock::time_point now) const {
  const std::scoped_lock lock(mutex_);
  const auto found = minutes_.find(address);
  return found != minutes_.end() && now - found->second.begin < kMinute && found->second.failures >= kMostAMinute;
}

bool same_secret(std::string_view left, std::string_view right) noexcept {
  if (left.size() != right.size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (left[i] ^ right[i]));
  }
  return difference == 0;
}

bool is_allowed_origin(const Request& request, const AccessRules& rules) {
  const auto origin = request.header("Origin");
  return origin && *origin != "null" && is_one_of(rules.origins, *origin);
}

std::optional<Problem> check_token(std::string_view given, const std::string& address, const AccessRules& rules) {
  // Whoever has the right one is not kept out by others, who may share the address of a proxy with it.
  if (same_secret(given, rules.token)) return std::nullopt;
  if (rules.failures->exceeded(address)) {
    return make_problem(problems::kTooMany, "too many wrong tokens from this address; wait a minute", kMinute);
  }
  rules.failures->add(address);
  return unauthorized("the token is not this server's; the server prints it when it starts");
}

std::optional<Problem> check_access(const Request& request, const AccessRules& rules, bool open) {
  if (auto problem = check_site(request, rules)) return problem;
  if (rules.token.empty() || open) return std::nullopt;
  if (const auto authorization = request.header("Authorization")) {
    constexpr std::string_view kBearer = "Bearer ";
    if (authorization->size() > kBearer.size() && same_name(authorization->substr(0, kBearer.size()), kBearer)) {
      return check_token(authorization->substr(kBearer.size()), request.address, rules);
    }
  }
  const auto cookie = request.cookie(rules.session_cookie);
  if (cookie && rules.is_session && rules.is_session(*cookie)) return check_cookie_use(request);
  return unauthorized("send the header 'Authorization: Bearer TOKEN'; the server prints its token when it starts");
}

}  // namespace unianimate::http
