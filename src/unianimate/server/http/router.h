// Which handler answers which method and path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/server/http/message.h"

namespace unianimate::http {

/// How the body of a request is taken.
enum class BodyKind {
  kNone,    ///< a small application/json is read and left alone but with GET, as many clients send {}; no other
  kJson,    ///< read into Request::body; has to be application/json
  kStream,  ///< handed to a sink as it comes
};

/// Handlers run in a thread of the pool, several at once, and throw Refused to refuse. What else they throw is answered
/// as "internal".
struct Route {
  std::string method;    ///< "GET" answers HEAD, too
  std::string pattern;   ///< "/api/v1/jobs/{id}"
  bool open = false;     ///< needs no token
  bool at_once = false;  ///< of open ones without a body: the handler runs in the thread of the sockets and never waits
  BodyKind body = BodyKind::kNone;
  std::function<Response(const Request&)> handle = {};                  ///< but of streamed bodies
  std::function<std::unique_ptr<BodySink>(const Request&)> begin = {};  ///< of streamed bodies
};

class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }

  [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

  /// The route, with its parameters put into the request. Throws Refused: not-found, or method-not-allowed with Allow.
  const Route& find(Request& request) const;

  /// Whether the request is for such a route.
  [[nodiscard]] bool answers_at_once(const Request& request) const;

  /// The methods of a path as the header Allow has them; empty where there is none.
  [[nodiscard]] std::string allowed(std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace unianimate::http
