// What a row asks for, and the order that comes of it.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "unianimate/family/request.h"
#include "unianimate/fields/words.h"
#include "unianimate/server/queue/job.h"
#include "unianimate/studio/align_order.h"
#include "unianimate/studio/video_order.h"

namespace unianimate::worker {

/// Kinds of video files.
enum class ResultFormat { kMp4, kWebm, kMkv, kGif };
constexpr auto words(ResultFormat /*of*/) {
  return std::array<fields::Word<ResultFormat>, 4>{{{ResultFormat::kMp4, "mp4"},
                                                    {ResultFormat::kWebm, "webm"},
                                                    {ResultFormat::kMkv, "mkv"},
                                                    {ResultFormat::kGif, "gif"}}};
}

/// Fields of an order that name files; in a row they hold ids of assets.
inline constexpr std::array kFileFields{"reference", "motion", "poses"};

/// The fields of a studio::VideoOrder that a job may say. The others are the service's: where files lie.
fields::Filter video_fields();
/// Of a studio::AlignOrder.
fields::Filter align_fields();

/// JSON of a row: the fields that are said, and how the video is to be written.
std::string request_text(const nlohmann::ordered_json& order, ResultFormat format);

/// The file of an asset.
using ResolveAsset = std::function<std::filesystem::path(const std::string& id)>;

struct VideoAsked {
  studio::VideoOrder order;  ///< without the places that the service chooses
  ResultFormat format = ResultFormat::kMp4;
};

/// What a row asks for of models with these defaults. Throws Error(kInput) or Error(kUsage) naming the field for what
/// is no request, and as VideoOrder::check(), but for the poses of `poses_folder`, which count as given.
VideoAsked read_video_request(const std::string& request, const family::AnimateRequest& defaults,
                              const ResolveAsset& resolve, const std::filesystem::path& poses_folder = {});

/// Likewise.
studio::AlignOrder read_align_request(const std::string& request, const ResolveAsset& resolve);

}  // namespace unianimate::worker
