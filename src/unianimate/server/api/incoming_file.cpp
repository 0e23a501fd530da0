#include "unianimate/server/api/incoming_file.h"

#include <algorithm>
#include <charconv>

namespace unianimate::server {

std::uintmax_t announced_bytes(const http::Request& request) {
  const std::string_view text = request.header("Content-Length").value_or("");
  std::uintmax_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

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
    refuse(error);
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
    refuse(error);
  }
}

void IncomingFile::account_for(std::int64_t bytes) {
  api_.sweeper().account().add_incoming(bytes - accounted_);
  accounted_ = bytes;
}

void IncomingFile::refuse(const Error& error) const {
  if (error.kind() == ErrorKind::kInput) throw http::Refused(http::problems::kUnsupportedType, error.what());
  api_.require_room(0);
  throw error;
}

}  // namespace unianimate::server
