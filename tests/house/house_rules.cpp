#include "house/include_rules.h"

namespace unianimate::testing {

const IncludeRules& house_rules() {
  // From the ground up: each room may include only rooms that stand above it in this table, so that there is no circle.
  static const IncludeRules kRules{
      .rooms =
          {
              {"core", {}},
              {"fields", {"core"}},
              {"media/pictures", {"core", "fields"}},
              {"media/film", {"core", "fields", "media/pictures"}},
              {"plot", {"core", "fields", "media/pictures"}},
              {"checkpoint", {"core"}},
              {"naming", {"core", "checkpoint"}},
              {"distributed", {"core"}},
              {"nn/ops", {"core"}},
              {"nn", {"core", "nn/ops"}},
              {"models", {"core", "fields", "nn", "nn/ops"}},
              {"diffusion", {"core", "fields"}},
              {"pose/format", {"core", "fields"}},
              {"pose/draw", {"core", "fields", "media/pictures", "plot", "pose/format"}},
              {"pose/align", {"core", "fields", "media/pictures", "pose/format", "pose/draw"}},
              {"pose/detect",
               {"core", "fields", "media/pictures", "media/film", "plot", "pose/format", "pose/draw", "pose/align"}},
              {"pose/report", {"core", "fields", "media/pictures", "plot", "pose/format", "pose/draw"}},
              {"puppet", {"core", "fields", "media/pictures", "plot", "pose/format", "pose/draw", "pose/align"}},
              {"family", {"core", "fields", "media/pictures", "checkpoint", "naming", "diffusion"}},
              {"family/unianimate",
               {"core", "fields", "media/pictures", "checkpoint", "naming", "nn", "models", "diffusion", "pose/format",
                "pose/draw", "puppet", "family"}},
              {"families", {"core", "checkpoint", "family", "family/unianimate"}},
              {"pipeline", {"core", "fields", "media/pictures", "distributed", "nn/ops", "diffusion", "family"}},
              {"evaluation/networks", {"core", "media/pictures", "checkpoint", "nn"}},
              {"evaluation",
               {"core", "fields", "media/pictures", "plot", "diffusion", "pose/format", "pose/draw", "family",
                "pipeline", "puppet", "evaluation/networks"}},
              {"training",
               {"core", "fields", "media/pictures", "plot", "checkpoint", "distributed", "nn", "models", "diffusion",
                "pose/format", "pose/draw", "pose/align", "family", "family/unianimate", "pipeline", "puppet"}},
              {"studio",
               {"core", "fields", "media/pictures", "media/film", "plot", "checkpoint", "naming", "distributed",
                "diffusion", "pose/format", "pose/draw", "pose/align", "pose/detect", "pose/report", "family",
                "families", "pipeline"}},
              {"server/http", {"core"}},
              {"server/page", {"server/http"}},
              {"server/queue", {"core"}},
              {"server/store", {"core", "media/film", "server/queue"}},
              {"server/worker",
               {"core", "fields", "family", "families", "pipeline", "studio", "server/queue", "server/store"}},
              {"server/api",
               {"core", "fields", "media/film", "families", "studio", "server/http", "server/queue", "server/store",
                "server/worker"}},
              {"server/serve", {"core", "server/http", "server/page", "server/queue", "server/store", "server/api"}},
              {"cli", {"core",        "fields",     "media/pictures", "media/film",   "plot",
                       "checkpoint",  "naming",     "distributed",    "diffusion",    "pose/format",
                       "pose/draw",   "pose/align", "pose/detect",    "pose/report",  "family",
                       "families",    "pipeline",   "puppet",         "evaluation",   "evaluation/networks",
                       "training",    "studio",     "server/queue",   "server/store", "server/worker",
                       "server/serve"}},
          },
      .reserved =
          {
              {R"(#\s*include\s*<lib(av|sw)[a-z]+/)", "FFmpeg", {"media/film"}},
              {R"(#\s*include\s*<(jpeglib\.h|png\.h|webp/|libheif/))", "a codec of pictures", {"media"}},
              {R"(#\s*include\s*<(openvino|onnx))", "the runtime of the pose networks", {"pose/detect"}},
              {R"(#\s*include\s*<boost/)", "Boost", {"server/http"}},
              {R"(#\s*include\s*<(sqlite3|libpq-fe)\.h)", "a database", {"server/queue"}},
              {R"(#\s*include\s*<valijson/)", "valijson", {"server/api"}},
              {R"(#\s*include\s*<CLI/)", "CLI11", {"cli", "fields"}},
              {R"(#\s*include\s*<yaml-cpp/)", "yaml-cpp", {"fields", "studio"}},
              {R"(#\s*include\s*<iostream>|std::(cout|cerr|clog)\b|\b(fmt::print|printf|puts|fputs|putchar)\()",
               "printing",
               {"cli"}},
              {R"(\b(_mm\d*_|__m(128|256|512))|immintrin)", "an instruction of one processor", {"nn/ops"}},
          },
  };
  return kRules;
}

}  // namespace unianimate::testing
