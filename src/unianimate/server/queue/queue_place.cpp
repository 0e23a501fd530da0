#include "unianimate/server/queue/queue_place.h"

#include <algorithm>
#include <string_view>

#include "unianimate/core/error.h"

namespace unianimate::queue {

namespace {

/// "mysql"; empty where the text does not begin as a URL does.
std::string_view scheme_of(std::string_view url) {
  const std::string_view scheme = url.substr(0, url.find("://"));
  const bool is_one = scheme.size() < url.size() && std::all_of(scheme.begin(), scheme.end(), [](char letter) {
                        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
                      });
  return is_one ? scheme : std::string_view();
}

void require_postgres(std::string_view url) {
  const std::string_view scheme = scheme_of(url);
  if (scheme == "postgresql" || scheme == "postgres") return;
  // The rest may hold a password.
  const std::string found = scheme.empty() ? "something else" : std::string(scheme) + "://…";
  throw Error(ErrorKind::kUsage,
              "--queue expects a URL such as postgresql://user@host/database, or nothing for the file in the folder of "
              "--data, found {}",
              printable(found));
}

}  // namespace

std::unique_ptr<SqlConnection> open_database(const QueuePlace& place) {
  if (!place.is_shared()) return open_sqlite(place.file);
  require_postgres(place.url);
  return open_postgres(place.url);
}

std::string place_name(const QueuePlace& place) {
  if (!place.is_shared()) return place.file.string();
  require_postgres(place.url);
  return postgres_name(place.url);
}

}  // namespace unianimate::queue
