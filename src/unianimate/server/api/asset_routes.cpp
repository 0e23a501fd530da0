// Files that jobs are made from.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "unianimate/core/error.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/http/file_response.h"
#include "unianimate/server/http/multipart_reader.h"
#include "unianimate/server/queue/job_json.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/asset_store.h"

namespace unianimate::server {

using nlohmann::ordered_json;

namespace {

constexpr std::size_t kLongestName = 255;

ordered_json asset_json(const queue::AssetRow& asset) {
  return {{"id", asset.id},
          {"sha256", asset.sha256},
          {"bytes", asset.bytes},
          {"type", asset.type},
          {"name", asset.name ? ordered_json(*asset.name) : ordered_json(nullptr)},
          {"created", queue::time_text(asset.created)}};
}

queue::AssetRow find_asset(const http::Request& request, Api& api) {
  const std::string& id = request.parameter("id");
  const auto asset = api.queues().with(
      [&](queue::JobQueue& queue) { return queue::is_id('a', id) ? queue.find_asset(id) : std::nullopt; });
  if (!asset) throw http::Refused(http::problems::kNotFound, fmt::format("there is no asset {}", printable(id)));
  return *asset;
}

/// What the request says that its body has; 0 where it does not.
std::uintmax_t announced_bytes(const http::Request& request) {
  const std::string_view text = request.header("Content-Length").value_or("");
  std::uintmax_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

/// Bytes on their way into the store, in its account for as long as this is there.
class Incoming {
 public:
  explicit Incoming(store::DiskAccount& account) : account_(account) {}
  ~Incoming() { account_.add_incoming(-bytes_); }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  void grow_to(std::int64_t bytes) {
    account_.add_incoming(bytes - bytes_);
    bytes_ = bytes;
  }

 private:
  store::DiskAccount& account_;
  std::int64_t bytes_ = 0;
};

/// A file on its way into the store, as it is or in a form.
class Upload final : public http::BodySink {
 public:
  Upload(Api& api, const http::Request& request)
      : api_(api), writer_(api.folder()), incoming_(api.sweeper().account()), announced_(announced_bytes(request)) {
    name_ = request.query_value("name");
    const std::string type(request.header("Content-Type").value_or(""));
    if (http::MultipartReader::is_multipart(type)) {
      form_ = std::make_unique<http::MultipartReader>(type, [this](std::string_view piece) { writer_.write(piece); });
    }
    if (name_ && name_->size() > kLongestName) {
      throw http::Refused(http::problems::kInvalidRequest,
                          fmt::format("the name has {} bytes; {} are the most", name_->size(), kLongestName));
    }
  }

  void write(std::string_view piece) override {
    // Others send files as well, and jobs write theirs.
    if (static_cast<std::uintmax_t>(writer_.bytes()) + piece.size() > looked_at_) {
      const auto written = static_cast<std::uintmax_t>(writer_.bytes());
      api_.require_room(announced_ > written ? std::min(kBetweenLooks, announced_ - written) : kBetweenLooks);
      looked_at_ += kBetweenLooks;
    }
    try {
      form_ ? form_->read(piece) : writer_.write(piece);
      incoming_.grow_to(writer_.bytes());
    } catch (const Error& error) {
      refuse(error);
    }
  }

  http::Response finish() override {
    if (form_) form_->finish();
    if (form_ && !name_) name_ = form_->file_name().substr(0, kLongestName);
    if (name_ && name_->empty()) name_.reset();
    try {
      const auto [asset, is_new] =
          api_.queues().with([&](queue::JobQueue& queue) { return writer_.finish(queue, name_); });
      incoming_.grow_to(0);
      if (is_new) api_.sweeper().account().add_asset(asset.bytes);
      constexpr int kOk = 200;
      constexpr int kCreated = 201;
      http::Response response = json_response(is_new ? kCreated : kOk, asset_json(asset));
      response.set("Location", "/api/v1/assets/" + asset.id);
      return response;
    } catch (const Error& error) {
      refuse(error);
    }
  }

 private:
  [[noreturn]] void refuse(const Error& error) const {
    if (error.kind() == ErrorKind::kInput) throw http::Refused(http::problems::kUnsupportedType, error.what());
    api_.require_room(0);
    throw error;
  }

  static constexpr std::uintmax_t kBetweenLooks = 64'000'000;

  Api& api_;
  store::AssetWriter writer_;
  Incoming incoming_;
  std::uintmax_t announced_;  ///< 0: nothing
  std::unique_ptr<http::MultipartReader> form_;
  std::optional<std::string> name_;
  std::uintmax_t looked_at_ = kBetweenLooks;  ///< bytes for which there was room
};

http::Response delete_asset(const http::Request& request, Api& api) {
  const queue::AssetRow asset = find_asset(request, api);
  const bool gone =
      api.queues().with([&](queue::JobQueue& queue) { return store::remove_asset(api.folder(), queue, asset); });
  if (!gone) throw http::Refused(http::problems::kConflict, fmt::format("a job needs the asset {}", asset.id));
  api.sweeper().account().remove_asset(asset.bytes);
  return http::Response(204);
}

}  // namespace

void add_asset_routes(http::Router& router, Api& api) {
  router.add({.method = "POST",
              .pattern = "/api/v1/assets",
              .body = http::BodyKind::kStream,
              .begin = [&](const http::Request& request) {
                api.require_room(announced_bytes(request));
                return std::make_unique<Upload>(api, request);
              }});
  router.add({.method = "GET", .pattern = "/api/v1/assets/{id}", .handle = [&](const http::Request& request) {
                return json_response(200, asset_json(find_asset(request, api)));
              }});
  router.add({.method = "DELETE", .pattern = "/api/v1/assets/{id}", .handle = [&](const http::Request& request) {
                return delete_asset(request, api);
              }});
  router.add({.method = "GET", .pattern = "/api/v1/assets/{id}/content", .handle = [&](const http::Request& request) {
                const queue::AssetRow asset = find_asset(request, api);
                return http::file_response(request, {store::file_of(api.folder(), asset), asset.type, asset.sha256,
                                                     asset.name.value_or(asset.id), true});
              }});
}

}  // namespace unianimate::server
