// The token for a cookie, so that a page can show pictures and videos.
#include <fmt/format.h>

#include "unianimate/media/film/sha256.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/queue/random_id.h"

namespace unianimate::server {

namespace {

std::string cookie_text(const http::AccessRules& access, std::string_view value, std::int64_t seconds) {
  return fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", access.session_cookie, value, seconds);
}

/// Of another token it is another one, so that sessions end with their token.
std::string session_hash(std::string_view cookie, std::string_view token) {
  return sha256_of(fmt::format("{} {}", cookie, token));
}

http::Response open_session(const http::Request& request, Api& api, const http::AccessRules& access) {
  const nlohmann::json body = parse_body(request.body);
  api.schemas().check(body, "SessionRequest");
  if (auto problem = http::check_token(body.at("token").get<std::string>(), request.address, access)) {
    throw http::Refused(std::move(*problem));
  }
  const std::string cookie = queue::random_id('s') + queue::random_id('s');
  api.queues().with([&](queue::JobQueue& queue) {
    queue.open_session(session_hash(cookie, access.token));
    return true;
  });
  http::Response response(204);
  response.set("Set-Cookie", cookie_text(access, cookie, queue::kSessionSeconds));
  return response;
}

http::Response close_session(const http::Request& request, Api& api, const http::AccessRules& access) {
  const std::string cookie(request.cookie(access.session_cookie).value_or(""));
  api.queues().with([&](queue::JobQueue& queue) {
    queue.close_session(session_hash(cookie, access.token));
    return true;
  });
  http::Response response(204);
  response.set("Set-Cookie", cookie_text(access, "", 0));
  return response;
}

}  // namespace

bool Api::is_session(std::string_view cookie, std::string_view token) {
  return queues_.with([&](queue::JobQueue& queue) { return queue.has_session(session_hash(cookie, token)); });
}

void add_session_routes(http::Router& router, Api& api, const http::AccessRules& access) {
  router.add({.method = "POST",
              .pattern = "/api/v1/session",
              .open = true,
              .body = http::BodyKind::kJson,
              .handle = [&](const http::Request& request) { return open_session(request, api, access); }});
  router.add({.method = "DELETE", .pattern = "/api/v1/session", .handle = [&](const http::Request& request) {
                return close_session(request, api, access);
              }});
}

}  // namespace unianimate::server
