#include "unianimate/studio/job_keeping.h"

namespace unianimate::studio {

void refuse_unused_options(const JobKeeping& keeping, const RefuseGiven& refuse_given) {
  if (keeping.save_every > 0) return;
  refuse(refuse_given, fields::only({"keep", "folder"}), "with --save-every 0, which keeps no job");
}

}  // namespace unianimate::studio
