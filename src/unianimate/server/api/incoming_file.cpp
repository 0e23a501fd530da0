#include "unianimate/server/api/incoming_file.h"

#include <algorithm>
#include <charconv>

#include "unianimate/core/error_causes.h"

namespace unianimate::server {

std::uintmax_t announced_bytes(const http::Request& request) {
  const std::string_view text = request.header("Content-Length").value_or("");
  std::uintmax_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

namespace {

/// What is known of the lack of room is told, and never a path.
[[noreturn]] void refuse(Api& api, const Error& error) {
  if (error.kind() == ErrorKind::kInput) throw http::Refused(http::problems::kUnsupportedType, error.what());
  api.require_room(0);
  if (dynamic_cast<const DiskFull*>(&error) != nullptr) {
    throw http::Refused(
        http::make_problem(http::problems::kQuotaExceeded,
                           "the server's disk takes no more of the file: the disk or its user's share of "
                           "it is full, or files may not be as large"),
        error.what());
  }
  throw error;
}

store::AssetWriter begun(Api& api) {
  try {
    return store::AssetWriter(api.folder());
  } catch (const Error& error) {
    refuse(api, error);
  }
}

}  // namespace

IncomingFile::IncomingFile(Api& api, std::uintmax_t announced)
    : api_(api), writer_(begun(api)), announced_(announced) {}

void IncomingFile::write(std::string_view piece) {
  // Others send files as well, and jobs write theirs.
  const auto written = static_cast<std::uintmax_t>(writer_.bytes());
  if (written + piece.size() > looked_at_) {
    api_.require_room(announced_ > written ? std::min(kBetweenLooks, announced_ - written) : kBetweenLooks);
    looked_at_ += kBetweenLooks;
  }
  try {
    writer_.write(piece);
    account_for(writer_.bytes());
  } catch (const Error& error) {
    refuse(api_, error);
  }
}

std::pair<queue::AssetRow, bool> IncomingFile::finish(std::optional<std::string> name) {
  if (name) name->resize(std::min(name->size(), kLongestName));
  if (name && name->empty()) name.reset();
  try {
    const auto stored = api_.queues().with([&](queue::JobQueue& queue) { return writer_.finish(queue, name); });
    account_for(0);
    if (stored.second) api_.sweeper().account().add_asset(stored.first);
    return stored;
  } catch (const Error& error) {
    refuse(api_, error);
  }
}

void IncomingFile::account_for(std::int64_t bytes) {
  api_.sweeper().account().add_incoming(bytes - accounted_);
  accounted_ = bytes;
}

}  // namespace unianimate::server
