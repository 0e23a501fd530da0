// A file that a client sends, on its way into the store while there is room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/store/asset_store.h"

namespace unianimate::server {

/// Bytes of the name of a file.
constexpr std::size_t kLongestName = 255;

/// What the request says that its body has; 0 where it does not.
std::uintmax_t announced_bytes(const http::Request& request);

/// Its bytes stand in the account of the data folder from the first one on, and no longer than this is there where it
/// does not become whole.
class IncomingFile {
 public:
  /// `announced`: bytes that are still to come at most; 0 where it is not known.
  /// Throws http::Refused(quota-exceeded) where there is no room for another.
  IncomingFile(Api& api, std::uintmax_t announced);
  ~IncomingFile() { account_for(0); }
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  /// Throws http::Refused(quota-exceeded) where there is no room for it.
  void write(std::string_view piece);
  /// The file is whole: its row, and whether the content is new. Of a longer name the beginning is kept; an empty one
  /// is none. Throws http::Refused(unsupported-type) where no job can be made from it.
  std::pair<queue::AssetRow, bool> finish(std::optional<std::string> name);

 private:
  /// From one look at the room that is left to the next; the first is the caller's.
  static constexpr std::uintmax_t kBetweenLooks = 64'000'000;

  void account_for(std::int64_t bytes);

  Api& api_;
  store::AssetWriter writer_;
  std::uintmax_t announced_;
  std::uintmax_t looked_at_ = kBetweenLooks;  ///< bytes for which there was room
  std::int64_t accounted_ = 0;                ///< bytes in the account
};

}  // namespace unianimate::server
