// What routes have in common.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "unianimate/server/http/message.h"

namespace unianimate::server {

/// In one line; text that is not UTF-8 is made so.
std::string json_text(const nlohmann::ordered_json& object);

http::Response json_response(int status, const nlohmann::ordered_json& body);

/// A part of a body that fits its schema; none where it is not said.
template <typename Value>
std::optional<Value> optional_value(const nlohmann::json& body, const char* name) {
  return body.contains(name) ? std::optional(body.at(name).get<Value>()) : std::nullopt;
}

/// Throws http::Refused(invalid-request) about one part of the body.
[[noreturn]] void refuse_part(std::string pointer, const std::string& detail);

/// A whole number of the query. Throws http::Refused(invalid-request) for what is none from `lowest` to `highest`.
std::optional<std::int64_t> query_number(const http::Request& request, const char* name, std::int64_t lowest,
                                         std::int64_t highest);

}  // namespace unianimate::server
