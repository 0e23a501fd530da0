#include "unianimate/server/api/answers.h"

#include <fmt/format.h>

#include <charconv>

#include "unianimate/core/error.h"

namespace unianimate::server {

using nlohmann::ordered_json;

std::string json_text(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

http::Response json_response(int status, const ordered_json& body) {
  return {status, "application/json", json_text(body)};
}

void refuse_part(std::string pointer, const std::string& detail) {
  http::Problem problem = http::make_problem(http::problems::kInvalidRequest, detail);
  problem.errors.push_back({std::move(pointer), detail});
  throw http::Refused(std::move(problem));
}

std::optional<std::int64_t> query_number(const http::Request& request, const char* name, std::int64_t lowest,
                                         std::int64_t highest) {
  const std::optional<std::string> text = request.query_value(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), number);
  if (text->empty() || result.ec != std::errc() || result.ptr != text->data() + text->size() || number < lowest ||
      number > highest) {
    throw http::Refused(
        http::problems::kInvalidRequest,
        fmt::format("{} is '{}'; it must be a whole number from {} to {}", name, printable(*text), lowest, highest));
  }
  return number;
}

}  // namespace unianimate::server
