#include "unianimate/studio/published_order_fields.h"

#include "unianimate/family/request_fields.h"
#include "unianimate/media/pictures/color_fields.h"
#include "unianimate/studio/job_keeping_fields.h"

namespace unianimate::studio {

void visit(fields::Archive& archive, PublishedOrder& order) {
  archive("output_folder", order.output_folder, fields::option("--output-dir"), fields::type("DIR"),
          "Folder for the videos, made where missing");
  archive("root", order.options.root, fields::type("DIR"),
          "Where relative paths of the configuration begin (default: here)");
  archive("background", order.background, fields::type("COLOR"), family::kBackgroundHelp);
  archive("decoder", order.decoder, family::kDecoderHelp);
  archive("interpolate", order.interpolate, fields::range(1, kMostInterpolated), fields::type("N"), kInterpolateHelp);
  archive("result_only", order.result_only, "The plain result instead of three columns");
  archive("skip_existing", order.skip_existing, "Leave out videos that are there already");
  visit(archive, order.keeping);
}

}  // namespace unianimate::studio
