#include "unianimate/server/page/page_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "unianimate/server/page/page_files.h"

namespace unianimate::server {

namespace {

struct FileKind {
  std::string_view ending;
  std::string_view type;
};

constexpr std::array kKinds{FileKind{".html", "text/html; charset=utf-8"},
                            FileKind{".js", "text/javascript; charset=utf-8"},
                            FileKind{".css", "text/css; charset=utf-8"},
                            FileKind{".svg", "image/svg+xml"},
                            FileKind{".png", "image/png"},
                            FileKind{".mp4", "video/mp4"}};

constexpr std::string_view kPolicy =
    "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'";

std::string_view type_of(std::string_view name) {
  const auto* const found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const FileKind& kind) { return name.ends_with(kind.ending); });
  if (found == kKinds.end()) throw std::logic_error(fmt::format("the page's file {} is of no known kind", name));
  return found->type;
}

http::Response page_response(const http::Request& request, const PageFile& file) {
  const std::string tag = fmt::format("\"{}\"", file.sha256);
  http::Response response = request.header("If-None-Match") == tag
                                ? http::Response(304)
                                : http::Response(200, type_of(file.name), std::string(file.content));
  response.set("ETag", tag);
  response.set("Cache-Control", "no-cache");
  response.set("Content-Security-Policy", kPolicy);
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  return response;
}

}  // namespace

void add_page_routes(http::Router& router) {
  for (const PageFile& file : page_files()) {
    router.add({.method = "GET",
                .pattern = file.name == "index.html" ? "/" : fmt::format("/{}", file.name),
                .open = true,
                .at_once = true,
                .handle = [&file](const http::Request& request) { return page_response(request, file); }});
  }
}

}  // namespace unianimate::server
