// JSON from outside, read strictly.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace unianimate {

/// The whole of `text`. `name` stands for its file in messages. Throws Error(kInput) where it is no valid JSON, has a
/// zero byte (which the parser alone would take for its end), names a key twice in one object (of which it would take
/// the last), or is nested more than `deepest` levels.
nlohmann::json parse_json(std::string_view text, std::string_view name, int deepest);

}  // namespace unianimate
