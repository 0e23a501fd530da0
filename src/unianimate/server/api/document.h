// The OpenAPI document: what is written by hand, and the schemas of settings made from the lists of fields.
#pragma once

#include <nlohmann/json.hpp>

#include "unianimate/fields/field.h"

namespace unianimate::server {

/// What a client may set of a video, and of how its motion is taken: all but files, which are named by their ids, and
/// what the server settles itself.
fields::Filter settings_of_videos();
fields::Filter settings_of_motions();

/// Their schemas, with the fields in the order of their list; settings say which models, too.
nlohmann::ordered_json settings_schema();
nlohmann::ordered_json align_schema();

/// Made once, at the first call.
const nlohmann::json& openapi_document();

}  // namespace unianimate::server
