// The token for a cookie, so that a page can show pictures and videos.
#include <fmt/format.h>

#include "unianimate/media/film/sha256.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/queue/random_id.h"

namespace unianimate::server {

namespace {

constexpr std::int64_t kDays30 = 30LL * 24 * 3600;

std::string cookie_text(std::string_view value, std::int64_t seconds) {
  return fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", http::kSessionCookie, value, seconds);
}

http::Response open_session(const http::Request& request, Api& api, const http::AccessRules& access) {
  const nlohmann::json body = parse_body(request.body);
  api.schemas().check(body, "SessionRequest");
  if (auto problem = http::check_token(body.at("token").get<std::string>(), request.address, access)) {
    throw http::Refused(std::move(*problem));
  }
  const std::string cookie = queue::random_id('s') + queue::random_id('s');
  api.queues().with([&](queue::JobQueue& queue) {
    queue.open_session(sha256_of(cookie));
    return true;
  });
  http::Response response(204);
  response.set("Set-Cookie", cookie_text(cookie, kDays30));
  return response;
}

http::Response close_session(const http::Request& request, Api& api) {
  const std::string cookie(request.cookie(http::kSessionCookie).value_or(""));
  api.queues().with([&](queue::JobQueue& queue) {
    queue.close_session(sha256_of(cookie));
    return true;
  });
  http::Response response(204);
  response.set("Set-Cookie", cookie_text("", 0));
  return response;
}

}  // namespace

bool Api::is_session(std::string_view cookie) {
  return queues_.with(
      [&](queue::JobQueue& queue) { return queue.has_session(sha256_of(cookie), static_cast<double>(kDays30)); });
}

void add_session_routes(http::Router& router, Api& api, const http::AccessRules& access) {
  router.add({.method = "POST",
              .pattern = "/api/v1/session",
              .open = true,
              .body = http::BodyKind::kJson,
              .handle = [&](const http::Request& request) { return open_session(request, api, access); }});
  router.add({.method = "DELETE", .pattern = "/api/v1/session", .handle = [&](const http::Request& request) {
                return close_session(request, api);
              }});
}

}  // namespace unianimate::server
