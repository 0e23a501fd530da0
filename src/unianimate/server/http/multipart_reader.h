// Bodies of HTML forms (RFC 7578): files, as they come, and short fields of text.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unianimate::http {

/// What a form may hold.
struct FormLimits {
  std::size_t files = 1;        ///< at most; at least one where there may be no fields, as there is always a part
  std::size_t fields = 0;       ///< of text, at most
  std::size_t field_bytes = 0;  ///< of the name and the text of one, at most
};

/// Reads the body piece by piece, however it is split. All calls throw Refused(bad-request) for what is no such body or
/// has other parts than the limits say or a transfer encoding, Refused(too-large) for limits of its own: the boundary
/// (70 characters, as the RFC has it), the headers of a part (4 kB) and FormLimits::field_bytes.
class MultipartReader {
 public:
  /// A file that begins.
  struct File {
    std::string field;  ///< name of its part; may be empty
    std::string name;   ///< as the client calls it: any text without control characters
  };
  /// Gets the content of a file as it comes.
  using Content = std::function<void(std::string_view piece)>;
  /// Says what takes a file's content.
  using BeginFile = std::function<Content(const File& file)>;

  static bool is_multipart(std::string_view content_type);

  MultipartReader(std::string_view content_type, FormLimits limits, BeginFile begin_file);
  MultipartReader(const MultipartReader&) = delete;
  MultipartReader& operator=(const MultipartReader&) = delete;

  void read(std::string_view piece);
  /// The body is over.
  void finish() const;

  /// Names and texts of the fields that have come, in their order.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const noexcept { return fields_; }

 private:
  enum class State { kOpening, kHeaders, kContent, kClosing, kDone };

  /// Whether there may be more to do in the next state with what is held.
  bool advance();
  bool read_opening();
  bool read_headers();
  bool read_content();
  bool read_closing();
  void take_headers(std::string_view headers);
  void begin_part(std::string field, const std::optional<std::string>& file_name);
  void take_text(std::string_view piece);
  [[nodiscard]] std::string allowed() const;

  State state_ = State::kOpening;
  std::string delimiter_;  ///< "\r\n--boundary"
  std::string held_;       ///< what has come and is not decided on
  FormLimits limits_;
  BeginFile begin_file_;
  std::size_t files_ = 0;
  std::vector<std::pair<std::string, std::string>> fields_;
  Content content_;  ///< of the part that is read
};

}  // namespace unianimate::http
