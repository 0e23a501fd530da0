#include "unianimate/server/api/document.h"

#include <array>
#include <string_view>
#include <utility>

#include "unianimate/fields/json_schema.h"
#include "unianimate/fields/words.h"
#include "unianimate/server/worker/job_request.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/video_order_fields.h"

namespace unianimate::server {

using nlohmann::json;

extern const std::string_view openapi_text;

namespace {

json as_json(const nlohmann::ordered_json& schema) {
  return json::parse(schema.dump());
}

}  // namespace

fields::Filter settings_of_motions() {
  return worker::motion_settings();
}

fields::Filter settings_of_videos() {
  return [motion = studio::motion_fields(),
          others = fields::all_but({"reference", "poses", "pose_order", "framing", "motion", "output", "saved_poses",
                                    "folder", "save_every", "keep", "preview"})](const fields::Field& field) {
    return others(field) && !motion(field);
  };
}

nlohmann::ordered_json settings_schema() {
  nlohmann::ordered_json schema = fields::json_schema(studio::VideoOrder(), settings_of_videos());
  schema.at("properties").update(fields::json_schema(worker::ModelChoice()).at("properties"));
  schema.at("properties").at("loras")["maxItems"] = worker::kMostLoras;
  return schema;
}

nlohmann::ordered_json align_schema() {
  return fields::json_schema(studio::MotionOptions(), settings_of_motions());
}

const json& openapi_document() {
  static const json kDocument = [] {
    json document = json::parse(openapi_text);
    json& schemas = document.at("components").at("schemas");
    schemas["AnimateSettings"] = as_json(settings_schema());
    schemas["VideoFormat"] = {{"type", "string"},
                              {"enum", fields::word_list<worker::ResultFormat>()},
                              {"default", fields::word(worker::ResultFormat{})},
                              {"description", "Kind of video: mp4, webm, mkv (lossless) or gif"}};
    schemas["AlignSettings"] = as_json(align_schema());
    return document;
  }();
  return kDocument;
}

}  // namespace unianimate::server
