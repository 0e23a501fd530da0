#include "unianimate/server/http/event_stream.h"

#include <fmt/format.h>

#include <stdexcept>

namespace unianimate::http {

std::string event_text(std::string_view name, std::string_view id, std::string_view data) {
  constexpr std::string_view kLineEnds{"\r\n\0", 3};
  if (name.find_first_of(kLineEnds) != std::string_view::npos ||
      id.find_first_of(kLineEnds) != std::string_view::npos) {
    throw std::invalid_argument("name and id of an event are one line");
  }
  std::string text = fmt::format("event: {}\n", name);
  if (!id.empty()) text += fmt::format("id: {}\n", id);
  while (true) {
    const std::size_t end = data.find_first_of("\r\n");
    text += fmt::format("data: {}\n", data.substr(0, end));
    if (end == std::string_view::npos) return text + "\n";
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

Response event_stream(std::function<std::string()> next) {
  Response response(200, "text/event-stream", Stream{[next = std::move(next), begun = false]() mutable {
                      std::string text = begun ? "" : "retry: 2000\n\n";
                      begun = true;
                      return text + next();
                    }});
  response.set("Cache-Control", "no-store");
  response.set("X-Accel-Buffering", "no");
  return response;
}

}  // namespace unianimate::http
