#include "unianimate/server/serve/serve.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/page/page_routes.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/store/plan_removal.h"

namespace unianimate::server {

namespace fs = std::filesystem;

namespace {

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

/// 32 random bytes in hexadecimal digits.
std::string make_token() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(ErrorKind::kEnvironment, "the system gives no random numbers for a token");
  }
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

std::string read_token(const fs::path& file) {
  std::ifstream stream(file);
  std::string token;
  if (!std::getline(stream, token)) {
    throw Error(ErrorKind::kEnvironment, "the token cannot be read from {}", printable(file.string()));
  }
  constexpr std::size_t kShortest = 16;
  if (token.size() < kShortest || token.find_first_of(" \t\r") != std::string::npos) {
    throw Error(ErrorKind::kInput, "{} holds no token: expected one line of at least {} characters without spaces",
                printable(file.string()), kShortest);
  }
  return token;
}

/// Of the data folder, made at the first start for its owner alone.
std::string own_token(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    OutputPath made(file);
    fs::permissions(made.temporary(), fs::perms::owner_read | fs::perms::owner_write, ignored);
    std::ofstream stream(made.temporary());
    stream << make_token() << '\n';
    stream.close();
    if (!stream) throw Error(ErrorKind::kEnvironment, "the token cannot be written to {}", printable(file.string()));
    made.commit();
  }
  return read_token(file);
}

/// As a part of an address in which all but letters, digits and "-._~" is escaped.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
                       std::string_view("-._~").find(letter) != std::string_view::npos;
    safe += plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
  }
  return safe;
}

std::string in_url(const std::string& address) {
  return address.find(':') == std::string::npos ? address : fmt::format("[{}]", address);
}

http::Limits limits_of(const ServeOptions& options) {
  http::Limits limits;
  limits.upload_bytes = options.upload_bytes;
  return limits;
}

ApiOptions api_options(const ServeOptions& options, std::function<bool()> stopping) {
  ApiOptions api;
  api.queue_url = options.queue_url;
  api.version = options.version;
  api.models = options.models;
  api.knows_models = options.knows_models;
  api.most_jobs = options.most_jobs;
  api.retention = options.retention;
  api.stopping = std::move(stopping);
  return api;
}

}  // namespace

std::pair<std::string, std::uint16_t> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  std::string_view address = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data() + colon + 1, end, port);
    const bool bracketed = address.starts_with('[') && address.ends_with(']');
    if (bracketed) address = address.substr(1, address.size() - 2);
    const bool sound = bracketed || address.find(':') == std::string_view::npos;
    if (result.ec == std::errc() && result.ptr == end && sound && !address.empty()) return {std::string(address), port};
  }
  throw Error(ErrorKind::kUsage, "--listen expects ADDRESS:PORT such as 127.0.0.1:8720 or [::1]:0, found '{}'",
              printable(text));
}

namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), port);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() && port > 0;
}

/// "example.org", "127.0.0.1:8720", "[::1]:8720".
bool is_authority(std::string_view text) {
  const auto is_part = [](std::string_view name, std::string_view further) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char letter) {
      return std::isalnum(static_cast<unsigned char>(letter)) != 0 || further.find(letter) != std::string_view::npos;
    });
  };
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  const std::string_view rest = end == std::string_view::npos ? "" : text.substr(end + (bracketed ? 1 : 0));
  if (!rest.empty() && (!rest.starts_with(':') || !is_port(rest.substr(1)))) return false;
  if (!bracketed) return is_part(text.substr(0, end), "-._");
  return end != std::string_view::npos && is_part(text.substr(1, end - 1), ":.");
}

}  // namespace

void require_host_name(std::string_view text) {
  if (is_authority(text)) return;
  throw Error(ErrorKind::kUsage,
              "--host-name expects a name with or without a port, such as videos.example.org or localhost:8080, found "
              "'{}'",
              printable(text));
}

void require_origin(std::string_view text) {
  const std::size_t end = text.find("://");
  const std::string_view scheme = text.substr(0, end);
  const bool plain = !scheme.empty() && std::isalpha(static_cast<unsigned char>(scheme.front())) != 0 &&
                     std::all_of(scheme.begin(), scheme.end(), [](char letter) {
                       return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
                              std::string_view("+-.").find(letter) != std::string_view::npos;
                     });
  if (end == std::string_view::npos || !plain || !is_authority(text.substr(end + 3))) {
    throw Error(
        ErrorKind::kUsage,
        "--allow-origin expects a scheme and a host, with a port where it is not the scheme's own and without a "
        "path, such as https://example.org or http://localhost:3000, found '{}'",
        printable(text));
  }
  for (const auto& [name, port] : {std::pair("http", ":80"), std::pair("https", ":443")}) {
    if (!http::same_name(scheme, name) || !text.ends_with(port)) continue;
    throw Error(ErrorKind::kUsage, "--allow-origin {}: leave out {}, as browsers do with the port of {}",
                printable(text), port, name);
  }
}

struct Serving::State {
  explicit State(ServeOptions given)
      : options(std::move(given)),
        api(options.data, api_options(options, [this] { return stopping || options.stopping(); })),
        listener(options.address, options.port, limits_of(options)) {}

  /// Tells streams and waiting answers of what others change in the database.
  void watch(const std::function<bool()>& goes_on);
  void see(const queue::JobRow& job);
  /// Removes what is old. In a thread of its own, as all files are looked at.
  void sweep();
  void attempt(const std::function<void()>& work);
  /// Runs `work` to its end and keeps what it throws; then nothing is answered any more.
  std::thread start(std::exception_ptr& failure, std::function<void()> work);

  void begin_to_stop();

  ServeOptions options;
  std::atomic<bool> stopping{false};
  Api api;
  http::Listener listener;
  http::Service service;
  std::vector<std::string> notes;
  std::mutex mutex;
  std::condition_variable stopped;
  std::int64_t seen = 0;  ///< the revision that was
};

void Serving::State::watch(const std::function<bool()>& goes_on) {
  constexpr std::chrono::milliseconds kLongest{250};
  std::optional<queue::JobQueue> queue;
  while (!stopping && goes_on()) {
    try {
      if (!queue) {
        queue::JobQueue opened(queue::open_database(api.queues().place()));
        seen = opened.revision();
        queue.emplace(std::move(opened));
      }
      if (queue->wait_for_change(kLongest)) {
        listener.changed();
        std::vector<queue::JobRow> jobs;
        do {
          jobs = queue->changed_since(seen);
          for (const queue::JobRow& job : jobs) see(job);
        } while (!jobs.empty());
      }
    } catch (const Error& error) {
      // The database may come back, as may room on the disk; until then requests are told what is wrong.
      if (error.kind() != ErrorKind::kEnvironment) throw;
      std::this_thread::sleep_for(kLongest);
    }
    for (const std::string& notice : api.sweeper().take_notices()) {
      if (options.note) options.note(notice);
    }
  }
}

void Serving::State::see(const queue::JobRow& job) {
  api.measures().see(job);
  if (job.state == queue::JobState::kRemoved) {
    api.sweeper().account().forget_job(job.id);
  } else if (queue::is_over(job.state)) {
    api.sweeper().account().count_job(job.id, job.state != queue::JobState::kCompleted);
  } else if (job.state == queue::JobState::kQueued && !job.device) {
    // It is new, or begins anew without what was saved.
    api.sweeper().account().count_job(job.id);
  }
  seen = job.revision;
}

void Serving::State::sweep() {
  constexpr std::chrono::minutes kBetweenSweeps{10};
  constexpr std::chrono::minutes kBetweenPlans{1};
  constexpr double kPlanSeconds = 600;
  std::optional<queue::JobQueue> queue;
  std::chrono::steady_clock::time_point sweep_after;
  while (!stopping) {
    const auto now = std::chrono::steady_clock::now();
    attempt([&] {
      if (!queue) queue.emplace(queue::open_database(api.queues().place()));
      if (now < sweep_after) return;
      sweep_after = now + kBetweenSweeps;
      api.sweeper().sweep(*queue);
    });
    attempt([&] {
      if (!queue) return;
      store::remove_plans(api.folder(), *queue, api.sweeper().aging().by_database(*queue, kPlanSeconds));
    });
    std::unique_lock lock(mutex);
    stopped.wait_until(lock, now + kBetweenPlans, [this] { return stopping.load(); });
  }
}

/// What is busy or full now need not be so the next time.
void Serving::State::attempt(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kEnvironment) throw;
    api.sweeper().note(error.what());
  }
}

std::thread Serving::State::start(std::exception_ptr& failure, std::function<void()> work) {
  return std::thread([this, &failure, work = std::move(work)] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    begin_to_stop();
  });
}

/// What looks at files ends while requests are still answered.
void Serving::State::begin_to_stop() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  stopped.notify_all();
  listener.stop();
}

Serving::Serving(ServeOptions options) : state_(std::make_unique<State>(std::move(options))) {
  const ServeOptions& given = state_->options;
  if (!given.needs_token && !is_loopback(given.address)) {
    throw Error(ErrorKind::kUsage, "--no-token is for this machine alone, and --listen {} is open to others",
                given.address);
  }
  if (!is_loopback(given.address)) {
    state_->notes.emplace_back(
        "traffic is not encrypted: let a reverse proxy do that, or come by 'ssh -L' (docs/service.md)");
  }
  http::AccessRules& access = state_->service.access;
  constexpr std::uint16_t kHttpPort = 80;
  const std::uint16_t port = state_->listener.port();
  // Cookies know no ports, and other services on this machine have theirs.
  access.session_cookie = fmt::format("unianimate_session_{}", port);
  // A name that an attacker's page makes lead here is none of these, and an address is no name.
  for (const std::string& name :
       {std::string("localhost"), std::string("127.0.0.1"), std::string("[::1]"), in_url(given.address)}) {
    access.hosts.push_back(fmt::format("{}:{}", name, port));
    // Browsers leave out the port that is everybody's.
    if (port == kHttpPort) access.hosts.push_back(name);
  }
  access.hosts.insert(access.hosts.end(), given.host_names.begin(), given.host_names.end());
  access.origins = given.origins;
  if (given.needs_token) {
    access.token = given.token_file.empty() ? own_token(state_->api.folder().token()) : read_token(given.token_file);
  }
  access.is_session = [this](std::string_view cookie) {
    return state_->api.is_session(cookie, state_->service.access.token);
  };
  state_->api.streams = [this] { return state_->listener.streams(); };
  state_->api.add_routes(state_->service.router, access);
  add_page_routes(state_->service.router);
  state_->service.observe = [this](const http::Exchange& exchange) {
    state_->api.requests().add(exchange);
    if (state_->options.log) state_->options.log(exchange);
  };
  store::clear_incoming(state_->api.folder());
  if (given.paused) queue::JobQueue(queue::open_database(state_->api.queues().place())).set_paused(true);
}

Serving::~Serving() = default;

std::string Serving::url() const {
  const std::string& token = state_->service.access.token;
  return fmt::format("http://{}:{}/{}", in_url(state_->options.address), state_->listener.port(),
                     token.empty() ? "" : "#token=" + escaped(token));
}

const std::vector<std::string>& Serving::notes() const noexcept {
  return state_->notes;
}

void Serving::run(const std::function<bool()>& goes_on) {
  std::array<std::exception_ptr, 2> failures;
  std::thread watcher = state_->start(failures[0], [&] { state_->watch(goes_on); });
  std::thread sweeper = state_->start(failures[1], [&] { state_->sweep(); });
  state_->listener.serve(state_->service);
  watcher.join();
  sweeper.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void Serving::stop() {
  state_->begin_to_stop();
}

}  // namespace unianimate::server
