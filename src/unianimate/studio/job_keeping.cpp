#include "unianimate/studio/job_keeping.h"

namespace unianimate::studio {

void refuse_unused_options(const JobKeeping& keeping, const RefuseGiven& refuse_given) {
  if (keeping.save_every == 0) {
    refuse(refuse_given, fields::only({"keep", "folder"}), "with --save-every 0, which keeps no job");
  }
  if (keeping.preview_every == 0) {
    refuse(refuse_given, fields::only({"preview_decoded"}), "with --preview-every 0, which makes no preview");
  }
}

}  // namespace unianimate::studio
