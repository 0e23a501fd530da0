#include "unianimate/server/http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace unianimate::http {

namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_control(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kDelete = 0x7f;
  return code < kFirstPrintable || code == kDelete;
}

/// Letters that names of headers have (RFC 9110, token).
bool is_token(char letter) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (letter >= '0' && letter <= '9') || (lower(letter) >= 'a' && lower(letter) <= 'z') ||
         kMarks.find(letter) != std::string_view::npos;
}

int hex_digit(char letter) {
  constexpr int kTen = 10;
  if (letter >= '0' && letter <= '9') return letter - '0';
  const char small = lower(letter);
  return small >= 'a' && small <= 'f' ? small - 'a' + kTen : -1;
}

std::string_view next_piece(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view piece = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return piece;
}

Header checked(std::string_view name, std::string_view value) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token) ||
      std::any_of(value.begin(), value.end(), is_control)) {
    throw std::invalid_argument(fmt::format("the header {} may not be sent: it has control characters", name));
  }
  return {std::string(name), std::string(value)};
}

}  // namespace

bool same_name(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::size_t Request::header_count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(), [&](const Header& one) { return same_name(one.name, name); }));
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  if (header_count(name) != 1) return std::nullopt;
  return std::find_if(headers.begin(), headers.end(), [&](const Header& one) { return same_name(one.name, name); })
      ->value;
}

std::optional<std::string_view> Request::cookie(std::string_view name) const {
  std::optional<std::string_view> found;
  std::string_view rest = header("Cookie").value_or("");
  while (!rest.empty()) {
    const std::string_view pair = trimmed(next_piece(rest, ';'));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    if (found) return std::nullopt;
    found = pair.substr(equals + 1);
  }
  return found;
}

std::optional<std::string> Request::query_value(std::string_view name) const {
  const auto found = std::find_if(query.rbegin(), query.rend(), [&](const auto& one) { return one.first == name; });
  return found == query.rend() ? std::nullopt : std::optional(found->second);
}

const std::string& Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  throw std::out_of_range(fmt::format("the route has no parameter {}", name));
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char letter = text[i];
    if (letter == '%') {
      constexpr int kSixteen = 16;
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      letter = static_cast<char>(high * kSixteen + low);
      i += 2;
    }
    if (is_control(letter)) return std::nullopt;
    decoded.push_back(letter);
  }
  return decoded;
}

bool split_target(Request& request) {
  std::string_view rest = request.target;
  if (!rest.starts_with('/')) return false;
  const std::string_view path = next_piece(rest, '?');
  if (!percent_decoded(path) || path.find('#') != std::string_view::npos) return false;
  request.path = path;
  request.query.clear();
  while (!rest.empty()) {
    std::string pair(next_piece(rest, '&'));
    std::replace(pair.begin(), pair.end(), '+', ' ');
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decoded(std::string_view(pair).substr(0, equals));
    const auto value = percent_decoded(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return false;
    request.query.emplace_back(*name, *value);
  }
  return true;
}

Problem make_problem(const ProblemType& type, std::string detail, std::chrono::seconds retry_after) {
  Problem problem{type.status, type.name, type.title, std::move(detail)};
  if (retry_after.count() > 0) problem.headers.push_back({"Retry-After", std::to_string(retry_after.count())});
  return problem;
}

Response::Response(int status, std::string_view type, Body body) : status_(status), body_(std::move(body)) {
  set("Content-Type", type);
}

void Response::set(std::string_view name, std::string_view value) {
  Header header = checked(name, value);
  std::erase_if(headers_, [&](const Header& one) { return same_name(one.name, name); });
  headers_.push_back(std::move(header));
}

void Response::add(std::string_view name, std::string_view value) {
  headers_.push_back(checked(name, value));
}

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const Header& one : headers_) {
    if (same_name(one.name, name)) return one.value;
  }
  return std::nullopt;
}

Response problem_response(const Problem& problem, std::string_view request_id) {
  nlohmann::ordered_json body{{"type", "/problems/" + problem.type},
                              {"title", problem.title},
                              {"status", problem.status},
                              {"detail", problem.detail}};
  for (const ProblemPart& part : problem.errors) {
    body["errors"].push_back({{"pointer", part.pointer}, {"detail", part.detail}});
  }
  body["request_id"] = request_id;
  Response response(problem.status, "application/problem+json",
                    body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  for (const Header& header : problem.headers) response.set(header.name, header.value);
  return response;
}

}  // namespace unianimate::http
