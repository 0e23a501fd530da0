// Bodies of HTML forms with a file (RFC 7578), of which exactly one file part is taken.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace unianimate::http {

/// Reads the body piece by piece, however it is split. All calls throw Refused(bad-request) for what is no such body or
/// has anything besides one file part without a transfer encoding, Refused(too-large) for limits of its own: the
/// boundary (70 characters, as the RFC has it) and the headers of the part (4 kB).
class MultipartReader {
 public:
  /// Gets the content of the file as it comes.
  using Content = std::function<void(std::string_view piece)>;

  static bool is_multipart(std::string_view content_type);

  MultipartReader(std::string_view content_type, Content content);

  void read(std::string_view piece);
  /// The body is over.
  void finish() const;

  /// As the client calls it: any text without control characters. Known once content has come.
  [[nodiscard]] const std::string& file_name() const noexcept { return file_name_; }

 private:
  enum class State { kOpening, kHeaders, kContent, kClosing, kDone };

  /// Whether there may be more to do in the next state with what is held.
  bool advance();
  bool read_opening();
  bool read_headers();
  bool read_content();
  bool read_closing();
  void take_headers(std::string_view headers);

  State state_ = State::kOpening;
  std::string delimiter_;  ///< "\r\n--boundary"
  std::string held_;       ///< what has come and is not decided on
  std::string file_name_;
  Content content_;
};

}  // namespace unianimate::http
