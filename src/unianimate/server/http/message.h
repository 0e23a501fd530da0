// Requests and responses as handlers see them: plain structs, without sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace unianimate::http {

struct Header {
  std::string name;
  std::string value;
};

/// Case does not matter in names of headers.
bool same_name(std::string_view left, std::string_view right) noexcept;
/// Without spaces and tabs around it.
std::string_view trimmed(std::string_view text);

struct Request {
  std::string method;   ///< as it was sent: "GET"
  std::string target;   ///< as it was sent: "/jobs/j1?wait=5"
  std::string path;     ///< of the target, still percent-encoded: "/jobs/j1"
  std::string address;  ///< of the other end: "127.0.0.1"
  std::string id;       ///< what the answer tells as X-Request-Id
  std::vector<Header> headers;
  std::vector<std::pair<std::string, std::string>> query;       ///< decoded, in their order
  std::vector<std::pair<std::string, std::string>> parameters;  ///< of the route's pattern, decoded
  std::string body;                                             ///< of routes that read it into memory

  /// The value of the only header of that name; nothing where there is none or more than one.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] std::size_t header_count(std::string_view name) const;
  /// Of the header Cookie; nothing where it is not there or there twice.
  [[nodiscard]] std::optional<std::string_view> cookie(std::string_view name) const;
  /// The last of that name in the query.
  [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;
  /// Throws std::out_of_range for a name that the pattern does not have.
  [[nodiscard]] const std::string& parameter(std::string_view name) const;
};

/// Splits the target into path and query. False where it is not of the form "/path?query" with sound escapes.
bool split_target(Request& request);

/// "%2F" -> "/"; nothing for a broken escape or a control character.
std::optional<std::string> percent_decoded(std::string_view text);

/// What is wrong with a part of the body.
struct ProblemPart {
  std::string pointer;  ///< RFC 6901: "/settings/width"
  std::string detail;
};

/// A refusal as RFC 9457 has it.
struct Problem {
  int status = 0;
  std::string type;    ///< "not-found"
  std::string title;   ///< the same for every problem of the type
  std::string detail;  ///< one sentence about this one
  std::vector<ProblemPart> errors = {};
  std::vector<Header> headers = {};  ///< that the answer has besides: Allow, Retry-After
};

/// The kinds of problems and what is always the same of them.
struct ProblemType {
  const char* name;
  int status;
  const char* title;
};
namespace problems {
inline constexpr ProblemType kBadRequest{"bad-request", 400, "The message is not HTTP as this server speaks it"};
inline constexpr ProblemType kInvalidJson{"invalid-json", 400, "The body is not valid JSON"};
inline constexpr ProblemType kInvalidRequest{"invalid-request", 422, "The request is not valid"};
inline constexpr ProblemType kUnauthorized{"unauthorized", 401, "A token is needed"};
inline constexpr ProblemType kWrongHost{"wrong-host", 421, "This server does not go by that name"};
inline constexpr ProblemType kCrossOrigin{"cross-origin", 403, "The request comes from another site"};
inline constexpr ProblemType kNotFound{"not-found", 404, "There is no such thing"};
inline constexpr ProblemType kMethodNotAllowed{"method-not-allowed", 405, "The method is not offered here"};
inline constexpr ProblemType kTooSlow{"too-slow", 408, "The request came too slowly"};
inline constexpr ProblemType kConflict{"conflict", 409, "The state does not allow that"};
inline constexpr ProblemType kTooLarge{"too-large", 413, "The request is too large"};
inline constexpr ProblemType kUnsupportedType{"unsupported-type", 415, "The kind of content is not accepted here"};
inline constexpr ProblemType kBadRange{"bad-range", 416, "The range lies outside of the content"};
inline constexpr ProblemType kTooMany{"too-many", 429, "Too many requests"};
inline constexpr ProblemType kInternal{"internal", 500, "The server failed"};
inline constexpr ProblemType kNotReady{"not-ready", 503, "The server is not ready"};
inline constexpr ProblemType kQuotaExceeded{"quota-exceeded", 507, "There is no room left"};
}  // namespace problems

/// `retry_after`: when asking again may help, which the header Retry-After tells; 0: it is not known.
Problem make_problem(const ProblemType& type, std::string detail, std::chrono::seconds retry_after = {});

/// What a handler throws to refuse.
class Refused : public std::runtime_error {
 public:
  /// `cause`: what the log says of it and clients are not told.
  explicit Refused(Problem problem, std::string cause = "")
      : std::runtime_error(problem.detail), problem_(std::move(problem)), cause_(std::move(cause)) {}
  Refused(const ProblemType& type, std::string detail) : Refused(make_problem(type, std::move(detail))) {}

  [[nodiscard]] const Problem& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::string& cause() const noexcept { return cause_; }

 private:
  Problem problem_;
  std::string cause_;
};

/// Part of a file that is sent; the file stays open, and so readable, until then.
struct FilePart {
  std::shared_ptr<const int> descriptor;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// A body without end, see event_stream.h. `next` gives what is to be sent now, and is asked again after each change.
struct Stream {
  std::function<std::string()> next;
};

class Response;

/// An answer that waits for a change: `look` is asked at once and after each change, and with `last` once the time is
/// over, when it has to give an answer.
struct Later {
  std::function<std::optional<Response>(bool last)> look;
  std::chrono::milliseconds longest{0};
};

class Response {
 public:
  using Body = std::variant<std::string, FilePart, Stream, Later>;

  Response() = default;
  explicit Response(int status) : status_(status) {}
  Response(int status, std::string_view type, Body body);

  /// Puts in the header instead of one of that name. Throws std::invalid_argument where name or value could begin
  /// another header.
  void set(std::string_view name, std::string_view value);
  /// The same beside those of that name.
  void add(std::string_view name, std::string_view value);

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::vector<Header>& headers() const noexcept { return headers_; }
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] const Body& body() const noexcept { return body_; }
  /// Of a body in memory.
  [[nodiscard]] const std::string& text() const { return std::get<std::string>(body_); }

 private:
  int status_ = 200;
  std::vector<Header> headers_;
  Body body_;
};

/// The problem as application/problem+json.
Response problem_response(const Problem& problem, std::string_view request_id);

/// Takes a body piece by piece, in a thread of the pool. Throws Refused.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void write(std::string_view piece) = 0;
  /// The body is whole.
  virtual Response finish() = 0;

 protected:
  BodySink() = default;
  BodySink(const BodySink&) = default;
  BodySink& operator=(const BodySink&) = default;
};

}  // namespace unianimate::http
