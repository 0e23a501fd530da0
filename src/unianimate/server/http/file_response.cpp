#include "unianimate/server/http/file_response.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "unianimate/server/http/byte_range.h"

namespace unianimate::http {

namespace {

std::shared_ptr<const int> open_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) throw Refused(problems::kNotFound, "the file is not there, or not there yet");
  return {new int(descriptor), [](const int* owned) {
            ::close(*owned);
            delete owned;
          }};
}

/// Whether a list of entity tags ("*", or tags, weak ones compared as strong) has this one.
bool lists(std::string_view tags, std::string_view tag) {
  if (tags == "*") return true;
  for (std::size_t at = tags.find(tag); at != std::string_view::npos; at = tags.find(tag, at + 1)) {
    const std::string_view before = tags.substr(0, at);
    const std::string_view after = tags.substr(at + tag.size());
    const bool begins = before.empty() || before.ends_with(',') || before.ends_with(' ') || before.ends_with("W/");
    if (begins && (after.empty() || after.starts_with(',') || after.starts_with(' '))) return true;
  }
  return false;
}

}  // namespace

std::string content_disposition(const std::string& name) {
  constexpr std::string_view kPlain = "!#$&+-.^_`|~";  // RFC 8187, attr-char besides letters and digits
  std::string ascii;
  std::string encoded;
  for (const char letter : name) {
    const bool plain = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                       (letter >= 'A' && letter <= 'Z') || kPlain.find(letter) != std::string_view::npos;
    ascii.push_back(plain || letter == ' ' ? letter : '_');
    encoded += plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
  }
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", ascii, encoded);
}

Response file_response(const Request& request, const ServedFile& file) {
  const std::shared_ptr<const int> descriptor = open_file(file.path);
  struct stat status {};
  if (::fstat(*descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Refused(problems::kNotFound, "the file is not there, or not there yet");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::string tag = fmt::format("\"{}\"", file.entity);
  const auto with_headers = [&](Response response) {
    response.set("ETag", tag);
    response.set("Accept-Ranges", "bytes");
    response.set("Cache-Control", "private, no-cache");
    if (file.sandboxed) response.set("Content-Security-Policy", "sandbox");
    if (!file.name.empty()) response.set("Content-Disposition", content_disposition(file.name));
    return response;
  };
  if (const auto known = request.header("If-None-Match"); known && lists(*known, tag))
    return with_headers(Response(304));

  std::variant<WholeContent, ByteRange, NoSuchBytes> asked = WholeContent{};
  const bool same = request.header_count("If-Range") == 0 || request.header("If-Range") == tag;
  if (const auto range = request.header("Range"); range && same) asked = parse_byte_range(*range, size);
  if (std::holds_alternative<NoSuchBytes>(asked)) {
    Problem problem = make_problem(problems::kBadRange, fmt::format("the content has {} bytes", size));
    problem.headers.push_back({"Content-Range", fmt::format("bytes */{}", size)});
    throw Refused(std::move(problem));
  }
  if (const auto* const range = std::get_if<ByteRange>(&asked)) {
    Response response = with_headers(Response(206, file.type, FilePart{descriptor, range->first, range->length()}));
    response.set("Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->last, size));
    return response;
  }
  return with_headers(Response(200, file.type, FilePart{descriptor, 0, size}));
}

}  // namespace unianimate::http
