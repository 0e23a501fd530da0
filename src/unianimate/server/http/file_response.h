// Files as answers: whole, in part, or not at all where the client has them.
#pragma once

#include <filesystem>
#include <string>

#include "unianimate/server/http/message.h"

namespace unianimate::http {

struct ServedFile {
  std::filesystem::path path;
  std::string type;        ///< "video/mp4"
  std::string entity;      ///< changes with the content; letters and digits
  std::string name;        ///< to save it as, of any characters; empty: none is told
  bool sandboxed = false;  ///< from somebody: may run nothing, whatever it holds
};

/// 200, 206, 304 or 416, after If-None-Match, If-Range and Range of the request. Throws Refused(not-found) where the
/// file is not there.
Response file_response(const Request& request, const ServedFile& file);

/// "attachment; filename=\"…\"; filename*=UTF-8''…" (RFC 6266, RFC 8187); what cannot stand there is replaced.
std::string content_disposition(const std::string& name);

}  // namespace unianimate::http
