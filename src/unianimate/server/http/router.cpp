#include "unianimate/server/http/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "unianimate/core/error.h"

namespace unianimate::http {

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<Parameters> match(std::string_view pattern, std::string_view path) {
  const std::vector<std::string_view> expected = segments(pattern);
  const std::vector<std::string_view> found = segments(path);
  if (expected.size() != found.size()) return std::nullopt;
  Parameters parameters;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::optional<std::string> value = percent_decoded(found[i]);
    if (!value) return std::nullopt;
    if (expected[i].starts_with('{')) {
      if (value->empty()) return std::nullopt;
      parameters.emplace_back(expected[i].substr(1, expected[i].size() - 2), *value);
    } else if (*value != expected[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

bool Router::answers_at_once(const Request& request) const {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  return std::any_of(routes_.begin(), routes_.end(), [&](const Route& route) {
    return route.at_once && route.method == method && route.pattern == path;
  });
}

const Route& Router::find(Request& request) const {
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Route& route : routes_) {
    if (route.method != method) continue;
    if (auto parameters = match(route.pattern, request.path)) {
      request.parameters = std::move(*parameters);
      return route;
    }
  }
  const std::string methods = allowed(request.path);
  if (methods.empty()) {
    throw Refused(problems::kNotFound, fmt::format("there is nothing at {}", printable(request.path)));
  }
  Problem problem =
      make_problem(problems::kMethodNotAllowed,
                   fmt::format("{} takes {}, not {}", printable(request.path), methods, printable(request.method)));
  problem.headers.push_back({"Allow", methods});
  throw Refused(std::move(problem));
}

std::string Router::allowed(std::string_view path) const {
  std::set<std::string> methods;
  for (const Route& route : routes_) {
    if (!match(route.pattern, path)) continue;
    methods.insert(route.method);
    if (route.method == "GET") methods.insert("HEAD");
  }
  if (methods.empty()) return {};
  methods.insert("OPTIONS");
  return fmt::format("{}", fmt::join(methods, ", "));
}

}  // namespace unianimate::http
