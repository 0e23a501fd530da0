// Files that jobs are made from.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "unianimate/core/error.h"
#include "unianimate/server/api/answers.h"
#include "unianimate/server/api/api.h"
#include "unianimate/server/api/incoming_file.h"
#include "unianimate/server/http/file_response.h"
#include "unianimate/server/http/multipart_reader.h"
#include "unianimate/server/queue/job_json.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/asset_store.h"

namespace unianimate::server {

using nlohmann::ordered_json;

namespace {

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

/// A file as the body, or in a form.
class Upload final : public http::BodySink {
 public:
  Upload(Api& api, const http::Request& request)
      : file_(api, announced_bytes(request)), name_(request.query_value("name")) {
    const std::string type(request.header("Content-Type").value_or(""));
    if (http::MultipartReader::is_multipart(type)) {
      form_ = std::make_unique<http::MultipartReader>(type, http::FormLimits{},
                                                      [this](const http::MultipartReader::File& file) {
                                                        if (!name_) name_ = file.name;
                                                        return [this](std::string_view piece) { file_.write(piece); };
                                                      });
    }
    if (name_ && name_->size() > kLongestName) {
      throw http::Refused(http::problems::kInvalidRequest,
                          fmt::format("the name has {} bytes; {} are the most", name_->size(), kLongestName));
    }
  }

  void write(std::string_view piece) override { form_ ? form_->read(piece) : file_.write(piece); }

  http::Response finish() override {
    if (form_) form_->finish();
    const auto [asset, is_new] = file_.finish(name_);
    constexpr int kOk = 200;
    constexpr int kCreated = 201;
    http::Response response = json_response(is_new ? kCreated : kOk, asset_json(asset));
    response.set("Location", "/api/v1/assets/" + asset.id);
    return response;
  }

 private:
  IncomingFile file_;
  std::optional<std::string> name_;
  std::unique_ptr<http::MultipartReader> form_;
};

http::Response delete_asset(const http::Request& request, Api& api) {
  const queue::AssetRow asset = find_asset(request, api);
  const bool gone =
      api.queues().with([&](queue::JobQueue& queue) { return store::remove_asset(api.folder(), queue, asset); });
  if (!gone) {
    find_asset(request, api);  // it may be gone by another's hand
    throw http::Refused(http::problems::kConflict, fmt::format("a job needs the asset {}", asset.id));
  }
  api.sweeper().account().remove_asset(asset);
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
