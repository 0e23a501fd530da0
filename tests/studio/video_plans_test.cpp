#include "unianimate/studio/video_plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/toy_family.h"
#include "support/rule.h"
#include "support/temporary_folder.h"
#include "unianimate/family/pictures.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate::studio {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kWidth = 16;
constexpr int kHeight = 24;

class VideoPlansTest : public ::testing::Test {
 protected:
  VideoPlansTest() {
    write("person.png");
    family::RuntimeOptions runtime;
    runtime.compute = {at::kCPU, at::kFloat, false, ""};
    models_ = testing::make_toy_family(runtime);
  }

  void write(const std::string& name) const {
    fs::create_directories((folder_ / name).parent_path());
    write_png(folder_ / name, family::image_from_tensor(testing::rule_picture(name, kHeight, kWidth)));
  }
  /// Of so many poses in a folder of this name, which is made.
  [[nodiscard]] family::AnimateRequest request(const std::string& poses, int count) const {
    write(poses + "/ref_pose.png");
    for (int k = 0; k < count; ++k) write(fmt::format("{}/{}.png", poses, k));
    family::AnimateRequest request;
    request.reference = folder_ / "person.png";
    request.poses = folder_ / poses;
    request.width = kWidth;
    request.height = kHeight;
    request.frames = 3;
    return request;
  }

  // NOLINTBEGIN(misc-non-private-member-variables-in-classes)
  testing::TemporaryFolder folder_;
  std::unique_ptr<family::Family> models_;
  // NOLINTEND(misc-non-private-member-variables-in-classes)
};

TEST_F(VideoPlansTest, PlansThatAlternateAreMadeOnce) {
  const family::AnimateRequest one = request("one", 12);
  const family::AnimateRequest two = request("two", 3);
  const std::optional<PlannedMotion> no_motion;
  VideoPlans plans(*models_, {}, no_motion);
  for (const family::AnimateRequest& each : {one, two, one}) EXPECT_THAT(plans.of(each).pose_folder.poses, IsEmpty());
  const pipeline::AnimationPlanner planner(*models_);
  const pipeline::AnimatePlan expected[] = {planner.plan(one), planner.plan(two)};
  EXPECT_THAT(expected[0].selection.indices, SizeIs(3));

  // Whoever planned anew would miss them.
  fs::remove_all(folder_.path());
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < 2; ++i) {
      family::AnimateRequest wanted = i == 0 ? one : two;
      wanted.seed += round;
      const pipeline::AnimatePlan& plan = plans.with_pictures(wanted);
      EXPECT_EQ(plan.request.seed, wanted.seed);
      EXPECT_EQ(plan.pose_folder.reference_pose, expected[i].pose_folder.reference_pose);
      EXPECT_EQ(plan.pose_folder.poses, expected[i].pose_folder.poses);
      EXPECT_EQ(plan.selection.indices, expected[i].selection.indices);
      EXPECT_EQ(plan.selection.frame_interval, expected[i].selection.frame_interval);
      EXPECT_EQ(plan.model_calls, expected[i].model_calls);
      EXPECT_EQ(plan.notes, expected[i].notes);
    }
  }
}

}  // namespace
}  // namespace unianimate::studio
