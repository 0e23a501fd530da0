#include "unianimate/server/store/plan_removal.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_folder.h"

namespace unianimate::store {
namespace {

class Plans : public ::testing::Test {
 protected:
  std::string add(queue::JobKind kind) {
    queue::NewJob job;
    job.kind = kind;
    job.request = "{}";
    std::string id = queue_.add(job).job.id;
    std::filesystem::create_directories(folder_.job(id));
    return id;
  }
  bool is_there(const std::string& id) {
    const bool has_row = queue_.find(id).has_value();
    EXPECT_EQ(std::filesystem::exists(folder_.job(id)), has_row);
    return has_row;
  }

  testing::TemporaryFolder parent_;
  DataFolder folder_{parent_ / "data"};
  queue::JobQueue queue_{queue::open_sqlite(folder_.database())};
};

TEST_F(Plans, AreRemovedWhenTheyAreOverAndOld) {
  const std::string plan = add(queue::JobKind::kPlan);
  const std::string poses = add(queue::JobKind::kAlign);
  queue_.cancel(plan);
  queue_.cancel(poses);
  const std::string waiting = add(queue::JobKind::kPlan);
  constexpr double kHour = 3600;
  remove_plans(folder_, queue_, kHour);
  EXPECT_TRUE(is_there(plan));
  // As if an hour had passed.
  remove_plans(folder_, queue_, -kHour);
  EXPECT_FALSE(is_there(plan));
  EXPECT_TRUE(is_there(poses));
  EXPECT_TRUE(is_there(waiting));
}

}  // namespace
}  // namespace unianimate::store
