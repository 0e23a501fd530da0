#include "unianimate/server/store/plan_removal.h"

#include "unianimate/server/store/removal.h"

namespace unianimate::store {

void remove_plans(const DataFolder& folder, queue::JobQueue& queue, double seconds) {
  const double last = queue.now() - seconds;
  queue::JobFilter plans;
  plans.kind = queue::JobKind::kPlan;
  for (const queue::JobRow& plan : queue.list(plans)) {
    if (!queue::is_over(plan.state) || plan.finished.value_or(last) > last) continue;
    // One that was resumed meanwhile stays.
    if (queue.remove_unneeded(plan)) remove_job_files(folder, plan.id);
  }
}

}  // namespace unianimate::store
