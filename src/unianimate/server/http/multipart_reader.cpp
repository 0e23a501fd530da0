#include "unianimate/server/http/multipart_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "unianimate/server/http/message.h"

namespace unianimate::http {

namespace {

constexpr std::size_t kLongestBoundary = 70;
constexpr std::size_t kMostHeaderBytes = 4096;

[[noreturn]] void refuse(std::string_view reason) {
  throw Refused(problems::kBadRequest, fmt::format("the multipart body {}", reason));
}

/// "form-data; name=\"a\"; filename=\"b\"": the value of a parameter, without quotes and escapes.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::size_t at = header.find(';');
  while (at != std::string_view::npos) {
    const std::size_t equals = header.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = trimmed(header.substr(at + 1, equals - at - 1));
    std::string value;
    std::size_t i = equals + 1;
    if (i < header.size() && header[i] == '"') {
      for (++i; i < header.size() && header[i] != '"'; ++i) {
        if (header[i] == '\\' && i + 1 < header.size() && (header[i + 1] == '"' || header[i + 1] == '\\')) ++i;
        value.push_back(header[i]);
      }
      if (i == header.size()) return std::nullopt;
    } else {
      const std::size_t end = std::min(header.find(';', i), header.size());
      value = trimmed(header.substr(i, end - i));
      i = end;
    }
    if (same_name(key, name)) return value;
    at = header.find(';', i);
  }
  return std::nullopt;
}

bool is_control_letter(char letter) {
  return static_cast<unsigned char>(letter) < ' ' || letter == '\x7f';
}

bool is_boundary_letter(char letter) {
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         kMarks.find(letter) != std::string_view::npos;
}

}  // namespace

bool MultipartReader::is_multipart(std::string_view content_type) {
  return same_name(trimmed(content_type.substr(0, content_type.find(';'))), "multipart/form-data");
}

MultipartReader::MultipartReader(std::string_view content_type, FormLimits limits, BeginFile begin_file)
    : limits_(limits), begin_file_(std::move(begin_file)) {
  const std::string boundary = parameter(content_type, "boundary").value_or("");
  if (boundary.empty() || !std::all_of(boundary.begin(), boundary.end(), is_boundary_letter)) {
    refuse("has no boundary in its Content-Type");
  }
  if (boundary.size() > kLongestBoundary) {
    throw Refused(problems::kTooLarge,
                  fmt::format("the boundary of the multipart body has {} characters; {} is the most", boundary.size(),
                              kLongestBoundary));
  }
  delimiter_ = "\r\n--" + boundary;
}

void MultipartReader::read(std::string_view piece) {
  held_ += piece;
  while (advance()) {
  }
}

void MultipartReader::finish() const {
  if (state_ != State::kDone) refuse("ends before its last boundary");
}

bool MultipartReader::advance() {
  switch (state_) {
    case State::kOpening:
      return read_opening();
    case State::kHeaders:
      return read_headers();
    case State::kContent:
      return read_content();
    case State::kClosing:
      return read_closing();
    case State::kDone:
      break;
  }
  if (!held_.empty() && !std::string_view("\r\n").starts_with(held_)) refuse("goes on after its last boundary");
  return false;
}

bool MultipartReader::read_opening() {
  const std::string expected = delimiter_.substr(2) + "\r\n";
  const std::size_t length = std::min(held_.size(), expected.size());
  if (held_.compare(0, length, expected, 0, length) != 0) refuse("does not begin with its boundary");
  if (held_.size() < expected.size()) return false;
  // The line's end stays: it is that before the first header, or the empty line where there is none.
  held_.erase(0, expected.size() - 2);
  state_ = State::kHeaders;
  return true;
}

bool MultipartReader::read_headers() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = held_.find(kEnd);
  if (std::min(end, held_.size()) > kMostHeaderBytes) {
    throw Refused(problems::kTooLarge, fmt::format("the headers of a part of the multipart body have over {} bytes, "
                                                   "which is the most",
                                                   kMostHeaderBytes));
  }
  if (end == std::string::npos) return false;
  take_headers(std::string_view(held_).substr(2, std::max<std::size_t>(end, 2) - 2));
  held_.erase(0, end + kEnd.size());
  state_ = State::kContent;
  return true;
}

void MultipartReader::take_headers(std::string_view headers) {
  bool named = false;
  std::optional<std::string> field;
  std::optional<std::string> file_name;
  while (!headers.empty()) {
    const std::size_t end = headers.find("\r\n");
    const std::string_view line = headers.substr(0, end);
    headers = end == std::string_view::npos ? std::string_view() : headers.substr(end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) refuse("has a broken header in its part");
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same_name(line.substr(0, colon), "Content-Disposition")) {
      if (named) refuse("has two names for its part");
      named = true;
      if (!same_name(trimmed(value.substr(0, value.find(';'))), "form-data")) continue;
      field = parameter(value, "name");
      file_name = parameter(value, "filename");
    } else if (same_name(line.substr(0, colon), "Content-Transfer-Encoding") && !same_name(value, "binary") &&
               !same_name(value, "8bit") && !same_name(value, "7bit")) {
      refuse("has a transfer encoding, which browsers do not use; send the file as it is");
    }
  }
  begin_part(field.value_or(""), file_name);
}

std::string MultipartReader::allowed() const {
  if (limits_.fields == 0 && limits_.files == 1) return "send exactly one file";
  return fmt::format("send {} files and {} fields at most", limits_.files, limits_.fields);
}

void MultipartReader::begin_part(std::string field, const std::optional<std::string>& file_name) {
  if (file_name ? files_ == limits_.files : limits_.fields > 0 && fields_.size() == limits_.fields) {
    refuse(fmt::format("has more parts than are taken; {}", allowed()));
  }
  for (const std::string& name : {field, file_name.value_or("")}) {
    if (std::any_of(name.begin(), name.end(), is_control_letter))
      refuse("has control characters in the name of a part or file");
  }
  if (file_name) {
    ++files_;
    content_ = begin_file_({std::move(field), *file_name});
    return;
  }
  if (limits_.fields == 0) refuse(fmt::format("has a part that is no file; {}", allowed()));
  if (field.empty()) refuse("has a part without a name");
  fields_.emplace_back(std::move(field), "");
  take_text("");
  content_ = [this](std::string_view piece) { take_text(piece); };
}

void MultipartReader::take_text(std::string_view piece) {
  auto& [name, text] = fields_.back();
  if (name.size() + text.size() + piece.size() > limits_.field_bytes) {
    throw Refused(problems::kTooLarge, fmt::format("a field of the multipart body has over {} bytes, which is the most",
                                                   limits_.field_bytes));
  }
  text += piece;
}

bool MultipartReader::read_content() {
  const std::size_t at = held_.find(delimiter_);
  if (at != std::string::npos) {
    if (at > 0) content_(std::string_view(held_).substr(0, at));
    held_.erase(0, at + delimiter_.size());
    state_ = State::kClosing;
    return true;
  }
  // What may be the beginning of the delimiter has to wait.
  std::size_t kept = std::min(held_.size(), delimiter_.size() - 1);
  while (kept > 0 && held_.compare(held_.size() - kept, kept, delimiter_, 0, kept) != 0) --kept;
  const std::size_t sure = held_.size() - kept;
  if (sure > 0) content_(std::string_view(held_).substr(0, sure));
  held_.erase(0, sure);
  return false;
}

bool MultipartReader::read_closing() {
  constexpr std::string_view kLast = "--";
  constexpr std::string_view kNext = "\r\n";
  if (held_.size() < kLast.size()) return false;
  if (held_.starts_with(kNext)) {
    // The line's end stays, as after the first boundary.
    state_ = State::kHeaders;
    return true;
  }
  if (!held_.starts_with(kLast)) refuse("goes on behind a boundary where the line should end");
  held_.erase(0, kLast.size());
  state_ = State::kDone;
  return true;
}

}  // namespace unianimate::http
