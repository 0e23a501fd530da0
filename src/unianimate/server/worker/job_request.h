// What a row asks for, and the order that comes of it.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unianimate/core/error.h"
#include "unianimate/family/lora.h"
#include "unianimate/family/request.h"
#include "unianimate/fields/archive.h"
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
/// Of a studio::MotionOptions, which both have: how a motion is taken.
fields::Filter motion_settings();

/// A LoRA by its name in the folder of the models.
struct NamedLora {
  std::string name;
  double scale = 1;

  bool operator==(const NamedLora&) const = default;
};

/// Of one job.
constexpr std::size_t kMostLoras = 16;

/// Which models a job is done with, by names that studio/model_library.h finds.
struct ModelChoice {
  std::string model;  ///< empty: those that the worker was started with
  std::vector<NamedLora> loras;

  bool operator==(const ModelChoice&) const = default;
};

/// Says which part of a choice cannot be: "model", or "loras/1/name". Does not return.
using RefuseChoice = std::function<void(const std::string& part, const Error& error)>;

/// For whoever queues a job: names are no paths, whether or not somebody knows by now what they name.
void require_names(const ModelChoice& choice, const RefuseChoice& refuse);

/// For whoever queues a job: what is meant where no model is said is said from now on, as others that come into the
/// folder later are none of the job's. All that is named has to be there.
void settle_models(ModelChoice& choice, const std::filesystem::path& models, const RefuseChoice& refuse);

/// The files of a choice. Throws as studio::lora_by_name().
std::vector<family::LoraFile> lora_files(const ModelChoice& choice, const std::filesystem::path& models);

void visit(fields::Archive& archive, NamedLora& lora);
void visit(fields::Archive& archive, ModelChoice& choice);

/// What stands beside the order in a row.
struct RowOptions {
  ResultFormat format = ResultFormat::kMp4;
  ModelChoice models = {};
};

void visit(fields::Archive& archive, RowOptions& options);

/// JSON of a row: the fields that are said, and the rest.
std::string request_text(const nlohmann::ordered_json& order, const RowOptions& options = {});

/// The rest alone. Throws Error(kInput) and Error(kUsage) as read_video_request().
RowOptions read_row_options(const std::string& request);

/// The request of a row, whoever queued it, as clients say it: reference, motion or poses, align, settings and format,
/// as far as they are said. Of one that took the poses of an align job, what that one said, so that it can be asked for
/// again when that is gone. Null for text that is no request.
nlohmann::ordered_json shown_request(const std::string& request);

/// The file of an asset.
using ResolveAsset = std::function<std::filesystem::path(const std::string& id)>;

struct VideoAsked {
  studio::VideoOrder order;  ///< without the places that the service chooses
  ResultFormat format = ResultFormat::kMp4;
};

/// What a row asks for of models with these defaults. Throws Error(kInput) or Error(kUsage) naming the field for what
/// is no request, and as VideoOrder::check().
VideoAsked read_video_request(const std::string& request, const family::AnimateRequest& defaults,
                              const ResolveAsset& resolve);

/// Likewise.
studio::AlignOrder read_align_request(const std::string& request, const ResolveAsset& resolve);

/// What a face calls a field: "--steps".
using NameOfField = std::function<std::string(const fields::Field& field)>;

/// For whoever queues a job: throws Error(kInput) or Error(kUsage) for whatever a worker would refuse of it before it
/// opens its models, and where a field was given that has no effect beside the others. With the settings that suit the
/// models that the request names in the folder `models`; where that is empty, or they cannot be read, only what no
/// models would do. `resolve` need not give files that are there, but their endings.
void check_request(queue::JobKind kind, const std::string& request, const std::filesystem::path& models,
                   const ResolveAsset& resolve, const NameOfField& name_of);

}  // namespace unianimate::worker
