// The service put together: data folder, token, interface, page and listener.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unianimate/server/http/listener.h"
#include "unianimate/server/store/sweeper.h"

namespace unianimate::server {

struct ServeOptions {
  std::filesystem::path data;
  std::string queue_url = {};  ///< as queue::QueuePlace::url
  std::string address = "127.0.0.1";
  std::uint16_t port = 8720;            ///< 0: a free one
  std::vector<std::string> host_names;  ///< that the server goes by besides, with their ports
  std::vector<std::string> origins;     ///< whose pages may call it: "https://example.org"
  std::filesystem::path token_file;     ///< empty: that of the data folder, made where it is not there
  bool needs_token = true;              ///< may only be false on this machine alone
  bool paused = false;                  ///< nothing is taken from the queue until somebody lets it
  std::uint64_t upload_bytes = http::Limits().upload_bytes;
  std::int64_t most_jobs = 1000;  ///< that wait
  store::Retention retention = {};
  /// Whether the process is to end, asked from any thread, from the beginning on, while files are looked at.
  std::function<bool()> stopping = store::DiskAccount::never;
  std::string version;                                  ///< of the program
  std::filesystem::path models = {};                    ///< folder of those that jobs may name
  bool knows_models = true;                             ///< as ApiOptions::knows_models
  std::function<void(const http::Exchange&)> log = {};  ///< from the thread of run(), so that it has to be short
  std::function<void(const std::string&)> note = {};    ///< what was removed; from the thread that asks `goes_on`
};

/// "127.0.0.1:8720", "[::1]:0" -> address and port. Throws Error(kUsage).
std::pair<std::string, std::uint16_t> parse_listen(std::string_view text);

/// Throw Error(kUsage) for what no request can have: a name that is not "name[:port]" as in the header Host, an origin
/// that is not "scheme://host[:port]" as browsers send it, which leave out the scheme's own port.
void require_host_name(std::string_view text);
void require_origin(std::string_view text);

class Serving {
 public:
  /// Binds and reads or makes the token. Throws Error(kUsage) for what goes not together, Error(kEnvironment),
  /// Error(kCancelled) for ServeOptions::stopping.
  explicit Serving(ServeOptions options);
  ~Serving();
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  /// "http://127.0.0.1:8720/#token=…": a fragment never leaves the browser.
  [[nodiscard]] std::string url() const;
  /// What somebody should know: that traffic is not encrypted.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept;

  /// Answers until stop(), which may be called from any thread, or until `goes_on`, which is asked several times a
  /// second from a thread of its own, says no. Throws what it throws, and Error where the database is
  /// damaged meanwhile; while it is out of reach, requests are refused.
  void run(const std::function<bool()>& goes_on = [] { return true; });
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace unianimate::server
