// What routes have in common.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "unianimate/server/http/message.h"

namespace unianimate::server {

http::Response json_response(int status, const nlohmann::ordered_json& body);

/// Seconds since 1970 as RFC 3339 in UTC, with milliseconds.
std::string time_text(double seconds);
nlohmann::ordered_json time_json(const std::optional<double>& seconds);

/// Throws http::Refused(invalid-request) about one part of the body.
[[noreturn]] void refuse_part(std::string pointer, const std::string& detail);

/// A whole number of the query. Throws http::Refused(invalid-request) for what is none from `lowest` to `highest`.
std::optional<std::int64_t> query_number(const http::Request& request, const char* name, std::int64_t lowest,
                                         std::int64_t highest);

}  // namespace unianimate::server
