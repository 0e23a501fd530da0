// Server-sent events (HTML standard, section 9.2): what changes is told as it comes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "unianimate/server/http/message.h"

namespace unianimate::http {

/// One event as it is sent; `data` may have several lines, an empty `id` is left out. Throws std::invalid_argument for
/// line ends in `name` or `id`.
std::string event_text(std::string_view name, std::string_view id, std::string_view data);

/// What clients skip, so that everybody between sees that the connection lives.
inline constexpr std::string_view kEventHeartbeat = ":\n\n";

/// An answer without end: begins with the time after which a client that lost it comes back, then `next` says what
/// there is to tell, at once and after each change.
Response event_stream(std::function<std::string()> next);

}  // namespace unianimate::http
