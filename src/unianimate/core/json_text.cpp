#include "unianimate/core/json_text.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate {

nlohmann::json parse_json(std::string_view text, std::string_view name, int deepest) {
  using nlohmann::json;
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw Error(ErrorKind::kInput, "{} is not valid JSON: its byte {} is zero", printable(name), zero);
  }
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > deepest) {
      throw Error(ErrorKind::kInput, "{} cannot be used: it is nested more than {} deep", printable(name), deepest);
    }
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error(ErrorKind::kInput, "{} names '{}' twice in one place; remove one", printable(name),
                  printable(parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kInput, "{} is not valid JSON: {}", printable(name), printable(error.what()));
  }
}

}  // namespace unianimate
