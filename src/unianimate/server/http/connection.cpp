#include "unianimate/server/http/connection.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/optional.hpp>
#include <charconv>
#include <exception>
#include <utility>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr auto kAwaited = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPiece = 65'536;

/// Runs work that may take long in the pool.
template <typename Work>
asio::awaitable<std::invoke_result_t<Work&>> in_pool(asio::thread_pool& pool, Work work) {
  const auto run = [](Work held) -> asio::awaitable<std::invoke_result_t<Work&>> { co_return held(); };
  co_return co_await asio::co_spawn(pool, run(std::move(work)), asio::use_awaitable);
}

std::string make_request_id() {
  std::uint64_t number = 0;
  [[maybe_unused]] const ssize_t filled = ::getrandom(&number, sizeof number, 0);
  return fmt::format("{:016x}", number);
}

/// Counts what is under way until it ends.
template <typename Count>
class Counted {
 public:
  explicit Counted(Count& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  Count& count_;
};

class TextSink final : public BodySink {
 public:
  explicit TextSink(std::string& text) : text_(text) {}
  void write(std::string_view piece) override { text_ += piece; }
  Response finish() override { return {}; }

 private:
  std::string& text_;
};

/// What came is not HTTP; it is not that the other end is gone.
bool is_broken_message(const error_code& error) {
  return error.category() == beast::http::make_error_code(beast::http::error::end_of_stream).category() &&
         error != beast::http::error::end_of_stream && error != beast::http::error::partial_message;
}

bool has_no_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

/// A request while it is read and answered.
struct Connection::Incoming {
  Request request;
  boost::optional<beast::http::request_parser<beast::http::buffer_body>> parser;
  std::string route;
  std::string failure;
  bool open = true;  ///< it may come from anybody
  steady_clock::time_point begin = steady_clock::now();
  bool body_read = false;  ///< wholly, so that another request may follow
};

/// What is known of a request before its body is read.
struct Connection::Admitted {
  const Route* route = nullptr;         ///< null: the response is there
  std::unique_ptr<BodySink> sink = {};  ///< of a streamed body
  Response response = {};
};

namespace {

/// What was thrown, as an answer.
Response refusal(const std::exception_ptr& thrown, const Request& request, std::string& failure) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Refused& refused) {
    failure = refused.cause();
    return problem_response(refused.problem(), request.id);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  return problem_response(
      make_problem(problems::kInternal, "something went wrong; the server's log says more under this request_id"),
      request.id);
}

Response options_response(const Request& request, const Service& service) {
  const std::string methods = service.router.allowed(request.path);
  if (methods.empty())
    throw Refused(problems::kNotFound, fmt::format("there is nothing at {}", printable(request.path)));
  Response response(204);
  response.set("Allow", methods);
  if (is_allowed_origin(request, service.access) && request.header("Access-Control-Request-Method")) {
    response.set("Access-Control-Allow-Methods", methods);
    response.set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range");
    response.set("Access-Control-Max-Age", "600");
  }
  return response;
}

/// A body that is announced; nothing where its length comes piece by piece.
struct BodyLength {
  bool any = false;
  std::optional<std::uint64_t> bytes;
};

BodyLength announced_body(const Request& request) {
  if (const auto coding = request.header("Transfer-Encoding")) {
    if (!same_name(*coding, "chunked")) {
      throw Refused(problems::kBadRequest, "of the transfer codings only chunked is taken");
    }
    return {true, std::nullopt};
  }
  const std::string_view text = request.header("Content-Length").value_or("0");
  std::uint64_t bytes = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() ||
      request.header_count("Transfer-Encoding") + request.header_count("Content-Length") > 1) {
    throw Refused(problems::kBadRequest, "the length of the body is not told in one way");
  }
  return {bytes > 0, bytes};
}

std::uint64_t most_bytes(const Route& route, const Limits& limits) {
  switch (route.body) {
    case BodyKind::kNone:
      return limits.unused_json_bytes;
    case BodyKind::kJson:
      return limits.json_bytes;
    case BodyKind::kStream:
      break;
  }
  return limits.upload_bytes;
}

[[noreturn]] void refuse_size(const Route& route, const Limits& limits) {
  if (route.body != BodyKind::kStream) {
    throw Refused(problems::kTooLarge, fmt::format("a JSON body may have {} bytes{}", most_bytes(route, limits),
                                                   route.body == BodyKind::kNone ? " here, where none is needed" : ""));
  }
  throw Refused(problems::kTooLarge, fmt::format("an upload may have {} bytes; {} of the server raises that",
                                                 limits.upload_bytes, limits.upload_option));
}

void check_body(const Route& route, const Request& request, const BodyLength& body, const Limits& limits) {
  const std::string_view type = request.header("Content-Type").value_or("");
  const bool json = same_name(type.substr(0, type.find_first_of("; ")), "application/json");
  if (route.body == BodyKind::kNone && body.any && (route.method == "GET" || !json)) {
    throw Refused(problems::kBadRequest, fmt::format("{} takes no body here", request.method));
  }
  if (body.bytes.value_or(0) > most_bytes(route, limits)) refuse_size(route, limits);
  if (route.body == BodyKind::kJson && !json) {
    throw Refused(problems::kUnsupportedType,
                  fmt::format("the body has to be application/json, not '{}'", printable(type)));
  }
}

/// All that is asked of a request before its body.
const Route& admit(Request& request, const Service& service, const Limits& limits) {
  // Whatever comes of it: the next request on this connection begins after a body that is understood.
  const BodyLength body = announced_body(request);
  if (request.target.size() > limits.target_bytes) {
    Problem problem = make_problem(
        problems::kTooLarge, fmt::format("the request's path may have {} bytes with its query", limits.target_bytes));
    constexpr int kTargetTooLong = 414;
    problem.status = kTargetTooLong;
    throw Refused(std::move(problem));
  }
  if (!split_target(request)) throw Refused(problems::kBadRequest, "the request's path or its query is broken");
  const Route* route = nullptr;
  std::exception_ptr unknown;
  try {
    if (request.method != "OPTIONS") route = &service.router.find(request);
  } catch (const Refused&) {
    unknown = std::current_exception();
  }
  const bool open = request.method == "OPTIONS" || (route != nullptr && route->open);
  if (auto problem = check_access(request, service.access, open)) throw Refused(std::move(*problem));
  if (unknown) std::rethrow_exception(unknown);
  if (route == nullptr) {
    static const Route kOptions;
    return kOptions;
  }
  check_body(*route, request, body, limits);
  return *route;
}

/// What every answer has.
std::string head_text(Response& response, const Request& request, const Service& service, bool keep,
                      const std::optional<std::uint64_t>& length, bool chunked) {
  response.set("X-Request-Id", request.id);
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  if (!response.header("Cache-Control")) response.set("Cache-Control", "no-store");
  if (!response.header("Content-Security-Policy")) {
    response.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  }
  if (is_allowed_origin(request, service.access)) {
    response.set("Access-Control-Allow-Origin", *request.header("Origin"));
    response.set("Access-Control-Expose-Headers", "Location, ETag, Retry-After, X-Request-Id");
  }
  if (!service.access.origins.empty()) response.add("Vary", "Origin");
  if (length) response.set("Content-Length", fmt::to_string(*length));
  if (chunked) response.set("Transfer-Encoding", "chunked");
  response.set("Connection", keep ? "keep-alive" : "close");
  const auto reason =
      beast::http::obsolete_reason(beast::http::int_to_status(static_cast<unsigned>(response.status())));
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status(), std::string_view(reason.data(), reason.size()));
  for (const Header& header : response.headers()) head += fmt::format("{}: {}\r\n", header.name, header.value);
  return head + "\r\n";
}

std::optional<std::uint64_t> length_of(const Response& response) {
  if (const auto* const text = std::get_if<std::string>(&response.body())) return text->size();
  if (const auto* const part = std::get_if<FilePart>(&response.body())) return part->length;
  return std::nullopt;
}

}  // namespace

/// While it lives, what is read or written has until then; what is not done is given up.
class Connection::Deadline {
 public:
  Deadline(Connection& connection, steady_clock::time_point until) : connection_(connection) {
    const std::uint64_t number = ++connection_.deadlines_;
    connection_.deadline_timer_.expires_at(until);
    connection_.deadline_timer_.async_wait([self = connection_.shared_from_this(), number](error_code error) {
      if (error || number != self->deadlines_) return;
      error_code ignored;
      self->socket_.cancel(ignored);
    });
  }
  Deadline(Connection& connection, std::chrono::milliseconds longest)
      : Deadline(connection, steady_clock::now() + longest) {}
  ~Deadline() {
    ++connection_.deadlines_;
    connection_.deadline_timer_.cancel();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  Connection& connection_;
};

asio::awaitable<void> Shared::wait_for_change(asio::steady_timer& timer, std::uint64_t seen,
                                              std::chrono::milliseconds longest) {
  if (changes != seen || stopping) co_return;
  timer.expires_after(longest);
  waiting.insert(&timer);
  co_await timer.async_wait(kAwaited);
  waiting.erase(&timer);
}

void Shared::wake_all() {
  for (asio::steady_timer* const timer : waiting) timer->cancel();
}

Connection::Connection(asio::ip::tcp::socket socket, std::string address, Shared& shared)
    : socket_(std::move(socket)),
      buffer_(kPiece + shared.limits.header_bytes),
      timer_(shared.context),
      deadline_timer_(shared.context),
      address_(std::move(address)),
      shared_(shared) {
  shared_.connections.insert(this);
}

Connection::~Connection() {
  shared_.connections.erase(this);
  if (shared_.stopping && shared_.connections.empty()) shared_.stop_timer.cancel();
}

void Connection::close() {
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
}

void Connection::close_if_idle() {
  if (idle_) close();
}

asio::awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  try {
    while (co_await serve_one()) {
    }
  } catch (const std::exception&) {
    // The other end is gone, or too slow to take its answer; or a stream has no more to say.
  }
  close();
}

asio::awaitable<void> Connection::refuse(Problem problem) {
  const auto self = shared_from_this();
  Incoming incoming;
  incoming.request.id = make_request_id();
  try {
    Response response = problem_response(problem, incoming.request.id);
    co_await write(incoming, response, false);
    co_await linger();
  } catch (const boost::system::system_error&) {
    // It did not want to know.
  }
  close();
}

asio::awaitable<bool> Connection::wait_for_request() {
  if (buffer_.size() > 0) co_return true;
  if (shared_.stopping) co_return false;
  idle_ = true;
  const Deadline deadline(*this, first_ ? shared_.limits.header_time : shared_.limits.idle_time);
  constexpr std::size_t kFirstRead = 4096;
  const auto [error, bytes] = co_await socket_.async_read_some(buffer_.prepare(kFirstRead), kAwaited);
  idle_ = false;
  buffer_.commit(bytes);
  co_return !error;
}

asio::awaitable<bool> Connection::serve_one() {
  if (!co_await wait_for_request()) co_return false;
  first_ = false;
  Incoming incoming;
  incoming.request.id = make_request_id();
  incoming.request.address = address_;
  Response response;
  bool keep = false;
  try {
    if (!co_await read_head(incoming)) co_return false;
    response = co_await answer(incoming);
    keep = incoming.body_read && incoming.parser->keep_alive() && !std::holds_alternative<Stream>(response.body());
  } catch (const Refused&) {
    response = refusal(std::current_exception(), incoming.request, incoming.failure);
  }
  keep = keep && !shared_.stopping;
  co_await write(incoming, response, keep);
  if (!keep) co_await linger();
  co_return keep;
}

asio::awaitable<bool> Connection::read_head(Incoming& incoming) {
  incoming.parser.emplace();
  auto& parser = *incoming.parser;
  parser.header_limit(static_cast<std::uint32_t>(shared_.limits.header_bytes));
  parser.body_limit(boost::none);
  const Deadline deadline(*this, shared_.limits.header_time);
  const auto [error, bytes] = co_await beast::http::async_read_header(socket_, buffer_, parser, kAwaited);
  if (error == asio::error::operation_aborted && socket_.is_open()) {
    throw Refused(problems::kTooSlow, fmt::format("the head of the request did not come within {} s",
                                                  std::chrono::duration<double>(shared_.limits.header_time).count()));
  }
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
    Problem problem = make_problem(problems::kTooLarge,
                                   fmt::format("the head of a request may have {} bytes", shared_.limits.header_bytes));
    constexpr int kHeaderTooLarge = 431;
    problem.status = kHeaderTooLarge;
    throw Refused(std::move(problem));
  }
  if (is_broken_message(error)) {
    throw Refused(problems::kBadRequest, fmt::format("the request cannot be read: {}", error.message()));
  }
  if (error) co_return false;
  const auto& head = parser.get();
  Request& request = incoming.request;
  request.method = std::string(head.method_string());
  request.target = std::string(head.target());
  for (const auto& field : head)
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  co_return true;
}

asio::awaitable<Response> Connection::answer(Incoming& incoming) {
  Request& request = incoming.request;
  const Service& service = *shared_.service;
  const Limits& limits = shared_.limits;
  std::string& failure = incoming.failure;
  const auto look = [&]() -> Admitted {
    try {
      const Route& route = admit(request, service, limits);
      if (!route.handle && !route.begin) return {nullptr, nullptr, options_response(request, service)};
      return {&route};
    } catch (...) {
      return {nullptr, nullptr, refusal(std::current_exception(), request, failure)};
    }
  };
  const bool at_once = service.router.answers_at_once(request);
  Admitted admitted;
  if (at_once) {
    admitted = look();
  } else {
    admitted = co_await in_pool(shared_.pool, look);
  }
  auto& parser = *incoming.parser;
  constexpr int kBadRequest = 400;
  incoming.body_read = parser.is_done() && admitted.response.status() != kBadRequest;
  if (admitted.route == nullptr) co_return std::move(admitted.response);
  const Route& route = *admitted.route;
  incoming.route = route.pattern;
  incoming.open = route.open;
  if (route.body == BodyKind::kStream && shared_.uploads >= limits.uploads) {
    throw Refused(make_problem(problems::kTooMany, fmt::format("{} uploads at once are the most", limits.uploads),
                               std::chrono::seconds(5)));
  }
  std::optional<Counted<std::size_t>> upload;
  if (route.body == BodyKind::kStream) upload.emplace(shared_.uploads);
  std::exception_ptr thrown;
  try {
    if (at_once) co_return route.handle(request);
    if (route.body == BodyKind::kJson) {
      TextSink sink(request.body);
      co_await read_body(incoming, sink, route);
    } else if (route.body == BodyKind::kNone) {
      std::string unused;
      TextSink sink(unused);
      co_await read_body(incoming, sink, route);
    } else if (route.body == BodyKind::kStream) {
      admitted.sink = co_await in_pool(shared_.pool, [&] { return route.begin(request); });
      co_await read_body(incoming, *admitted.sink, route);
    }
    const auto handle = [&] { return admitted.sink ? admitted.sink->finish() : route.handle(request); };
    Response response = co_await in_pool(shared_.pool, handle);
    co_return co_await settle(std::move(response), incoming);
  } catch (const boost::system::system_error&) {
    throw;
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return refusal(thrown, request, failure);
}

asio::awaitable<void> Connection::read_body(Incoming& incoming, BodySink& sink, const Route& route) {
  auto& parser = *incoming.parser;
  const Limits& limits = shared_.limits;
  if (!parser.is_done() && incoming.request.header("Expect") == "100-continue" && buffer_.size() == 0) {
    co_await write_text("HTTP/1.1 100 Continue\r\n\r\n");
  }
  const auto least = static_cast<std::uint64_t>(static_cast<double>(limits.body_rate) *
                                                std::chrono::duration<double>(limits.body_window).count());
  std::vector<char> piece(kPiece);
  std::uint64_t total = 0;
  std::uint64_t in_window = 0;
  auto window_end = steady_clock::now() + limits.body_window;
  while (!parser.is_done()) {
    if (steady_clock::now() >= window_end && in_window >= least) {
      in_window = 0;
      window_end = steady_clock::now() + limits.body_window;
    }
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    const Deadline deadline(*this, window_end);
    const auto [error, bytes] = co_await beast::http::async_read_some(socket_, buffer_, parser, kAwaited);
    const std::size_t got = piece.size() - body.size;
    total += got;
    in_window += got;
    const bool window_is_over = error == asio::error::operation_aborted && socket_.is_open();
    if (window_is_over && in_window < least) {
      throw Refused(problems::kTooSlow,
                    fmt::format("the body has to come with at least {} bytes a second", limits.body_rate));
    }
    if (error && error != beast::http::error::need_buffer && !window_is_over) {
      if (is_broken_message(error)) {
        throw Refused(problems::kBadRequest, fmt::format("the body cannot be read: {}", error.message()));
      }
      throw boost::system::system_error(error);
    }
    if (total > most_bytes(route, limits)) refuse_size(route, limits);
    if (got > 0) co_await in_pool(shared_.pool, [&] { sink.write({piece.data(), got}); });
  }
  incoming.body_read = true;
}

asio::awaitable<Response> Connection::settle(Response response, Incoming& incoming) {
  if (!std::holds_alternative<Later>(response.body())) co_return response;
  const Later later = std::get<Later>(response.body());
  const auto deadline = steady_clock::now() + later.longest;
  while (true) {
    const std::uint64_t seen = shared_.changes;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    const bool last = left.count() <= 0 || shared_.stopping;
    auto looked = co_await in_pool(shared_.pool, [&] { return later.look(last); });
    if (looked) co_return std::move(*looked);
    if (last) throw std::logic_error("an answer is missing of " + incoming.route);
    co_await shared_.wait_for_change(timer_, seen, left);
  }
}

asio::awaitable<void> Connection::write(Incoming& incoming, Response& response, bool keep) {
  const bool is_stream = std::holds_alternative<Stream>(response.body());
  const bool chunked = is_stream && incoming.parser && incoming.parser->get().version() > 10;
  std::optional<Counted<std::atomic<std::size_t>>> stream;
  if (is_stream) {
    if (shared_.streams >= shared_.limits.streams) {
      const Problem problem = make_problem(
          problems::kTooMany, fmt::format("{} streams of events at once are the most", shared_.limits.streams),
          std::chrono::seconds(30));
      response = problem_response(problem, incoming.request.id);
      co_return co_await write(incoming, response, false);
    }
    stream.emplace(shared_.streams);
    trusted_stream_ = !incoming.open;
  }
  const bool body = incoming.request.method != "HEAD" && !has_no_body(response.status());
  std::optional<std::uint64_t> length = length_of(response);
  if (has_no_body(response.status())) length.reset();
  std::string text = head_text(response, incoming.request, *shared_.service, keep, length, chunked);
  const auto* const whole = std::get_if<std::string>(&response.body());
  if (body && whole != nullptr) text += *whole;
  co_await write_text(text);
  tell_of(incoming, response.status());
  if (!body) co_return;
  if (const auto* const part = std::get_if<FilePart>(&response.body())) co_await write_file(*part);
  const auto* const endless = std::get_if<Stream>(&response.body());
  if (endless == nullptr) co_return;
  try {
    co_await write_stream(*endless, chunked);
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::exception& error) {
    constexpr int kFailed = 500;
    incoming.failure = error.what();
    tell_of(incoming, kFailed);
    throw;
  }
}

void Connection::tell_of(const Incoming& incoming, int status) const {
  if (!shared_.service->observe) return;
  const Request& request = incoming.request;
  const double seconds = std::chrono::duration<double>(steady_clock::now() - incoming.begin).count();
  shared_.service->observe(
      {request.id, request.address, request.method, request.path, incoming.route, status, seconds, incoming.failure});
}

asio::awaitable<void> Connection::write_text(std::string_view text) {
  while (!text.empty()) {
    const Deadline deadline(*this, shared_.limits.write_time);
    const std::size_t sent =
        co_await socket_.async_write_some(asio::buffer(text.substr(0, kPiece)), asio::use_awaitable);
    text.remove_prefix(sent);
  }
}

asio::awaitable<void> Connection::write_file(const FilePart& part) {
  std::vector<char> piece(kPiece);
  for (std::uint64_t done = 0; done < part.length;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), part.length - done));
    const auto read = [&] {
      return ::pread(*part.descriptor, piece.data(), wanted, static_cast<off_t>(part.offset + done));
    };
    const ssize_t got = co_await in_pool(shared_.pool, read);
    // What was promised cannot be kept any more, which only a broken connection tells.
    if (got <= 0) throw boost::system::system_error(asio::error::broken_pipe);
    co_await write_text({piece.data(), static_cast<std::size_t>(got)});
    done += static_cast<std::uint64_t>(got);
  }
}

asio::awaitable<void> Connection::watch_for_end() {
  const auto self = shared_from_this();
  constexpr std::size_t kUnasked = 512;
  std::vector<char> unasked(kUnasked);
  while (true) {
    const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(unasked), kAwaited);
    if (error) break;
  }
  gone_ = true;
  timer_.cancel();
}

asio::awaitable<void> Connection::write_stream(const Stream& stream, bool chunked) {
  watched_ = true;
  asio::co_spawn(shared_.context, watch_for_end(), [](const std::exception_ptr& /*never*/) {});
  auto last_write = steady_clock::now();
  while (!gone_ && !shared_.stopping) {
    const std::uint64_t seen = shared_.changes;
    std::string text = co_await in_pool(shared_.pool, [&] { return stream.next(); });
    const auto silent = std::chrono::ceil<std::chrono::milliseconds>(steady_clock::now() - last_write);
    if (text.empty() && silent >= shared_.limits.heartbeat) text = ":\n\n";
    if (text.empty()) {
      co_await shared_.wait_for_change(timer_, seen, shared_.limits.heartbeat - silent);
      continue;
    }
    if (chunked) text = fmt::format("{:x}\r\n{}\r\n", text.size(), text);
    co_await write_text(text);
    last_write = steady_clock::now();
  }
  if (chunked && !gone_) co_await write_text("0\r\n\r\n");
}

asio::awaitable<void> Connection::linger() {
  constexpr std::chrono::seconds kLongest{2};
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  if (watched_) co_return;
  const Deadline deadline(*this, std::min<std::chrono::milliseconds>(kLongest, shared_.limits.header_time));
  std::vector<char> unread(kPiece);
  // What is still on its way is read, or the system would take back the answer.
  while (true) {
    const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(unread), kAwaited);
    if (error) break;
  }
}

}  // namespace unianimate::http
