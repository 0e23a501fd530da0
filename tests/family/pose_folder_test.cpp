#include "unianimate/family/pose_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate::family {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string error_of(const fs::path& folder, ErrorKind kind) {
  try {
    open_pose_folder(folder);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "no error";
}

class OpenPoseFolder : public ::testing::Test {
 protected:
  void add(const std::string& name, int width = 8, int height = 6) { write_png(folder_ / name, Image(width, height)); }
  void add_text(const std::string& name) { std::ofstream(folder_ / name) << "no picture"; }

  unianimate::testing::TemporaryFolder folder_;
};

TEST_F(OpenPoseFolder, SortsPosesByNameAndKeepsTheReferencePoseApart) {
  for (const char* name : {"10.png", "9.png", "ref_pose.jpg", "00.JPG", "a.webp"}) add(name);
  const PoseFolder found = open_pose_folder(folder_.path());
  EXPECT_EQ(found.reference_pose, folder_ / "ref_pose.jpg");
  EXPECT_THAT(found.poses, ElementsAre(folder_ / "00.JPG", folder_ / "9.png", folder_ / "10.png", folder_ / "a.webp"));
}

TEST_F(OpenPoseFolder, CountsNumbersOfDifferentLengths) {
  for (const char* name : {"ref_pose.jpg", "0999.jpg", "1000.jpg", "1001.jpg", "1002.jpg", "10000.jpg"}) add(name);
  const auto names = [&](PoseOrder order) {
    std::vector<std::string> found;
    for (const fs::path& pose : open_pose_folder(folder_.path(), order).poses) found.push_back(pose.stem());
    return found;
  };
  EXPECT_THAT(names(PoseOrder::kNatural), ElementsAre("0999", "1000", "1001", "1002", "10000"));
  EXPECT_THAT(names(PoseOrder::kPublished), ElementsAre("0999", "1000", "10000", "1001", "1002"));
}

TEST_F(OpenPoseFolder, SaysWhereThePublishedOrderIsAnother) {
  for (const char* name : {"ref_pose.jpg", "8.png", "9.png", "10.png"}) add(name);
  EXPECT_THAT(open_pose_folder(folder_.path()).notes, IsEmpty());
  EXPECT_THAT(open_pose_folder(folder_.path(), PoseOrder::kPublished).notes,
              ElementsAre(HasSubstr("10.png stands where 8.png does when numbers are counted")));
  fs::remove(folder_ / "10.png");
  EXPECT_THAT(open_pose_folder(folder_.path(), PoseOrder::kPublished).notes, IsEmpty());
}

TEST_F(OpenPoseFolder, TellsOfNumbersLeftOutAndTwice) {
  for (const char* name : {"ref_pose.jpg", "3.png", "4.png", "7.png"}) add(name);
  EXPECT_THAT(open_pose_folder(folder_.path()).notes, ElementsAre(HasSubstr("has no pictures numbered 5, 6")));
  add("04.png");
  EXPECT_THAT(open_pose_folder(folder_.path()).notes, ElementsAre(HasSubstr("several pictures numbered 4")));
}

TEST_F(OpenPoseFolder, TellsOfPicturesItDoesNotRead) {
  for (const char* name : {"ref_pose.JPG", "0.PNG", "1.Jpeg"}) add(name);
  add_text("2.JXL");
  EXPECT_THAT(open_pose_folder(folder_.path()).poses, SizeIs(2));
  EXPECT_THAT(open_pose_folder(folder_.path()).notes, ElementsAre(HasSubstr("a picture of a kind that is not read is "
                                                                            "left out of the poses, 2.JXL")));
  add_text("10.psd");
  EXPECT_THAT(open_pose_folder(folder_.path()).notes, ElementsAre(HasSubstr("2 pictures of a kind that is not read are "
                                                                            "left out of the poses, first 2.JXL")));
}

TEST_F(OpenPoseFolder, LeavesOtherFilesAlone) {
  add("ref_pose.png");
  add("0.png");
  add_text("notes.txt");
  add_text(".hidden.png");
  fs::create_directory(folder_ / "folder.png");
  EXPECT_THAT(open_pose_folder(folder_.path()).poses, SizeIs(1));
}

TEST_F(OpenPoseFolder, SaysWhatIsMissing) {
  EXPECT_THAT(error_of(folder_ / "nowhere", ErrorKind::kInput), HasSubstr("there is no pose folder"));
  EXPECT_THAT(error_of(folder_.path(), ErrorKind::kInput), HasSubstr("lacks ref_pose.jpg"));
  add("ref_pose.jpg");
  EXPECT_THAT(error_of(folder_.path(), ErrorKind::kInput), HasSubstr("holds no pose beside ref_pose.jpg"));
}

TEST_F(OpenPoseFolder, RefusesTwoReferencePoses) {
  for (const char* name : {"ref_pose.jpg", "ref_pose.png", "0.png"}) add(name);
  EXPECT_THAT(error_of(folder_.path(), ErrorKind::kInput), HasSubstr("both ref_pose.jpg and ref_pose.png"));
}

TEST_F(OpenPoseFolder, NamesBothFilesAndSizesWhereTheyDiffer) {
  add("ref_pose.jpg");
  add("0.png");
  add("1.png", 8, 7);
  const std::string message = error_of(folder_.path(), ErrorKind::kInput);
  EXPECT_THAT(message, HasSubstr("ref_pose.jpg is 8x6"));
  EXPECT_THAT(message, HasSubstr("1.png is 8x7"));
}

TEST_F(OpenPoseFolder, RefusesAFileThatIsNoPicture) {
  add("ref_pose.jpg");
  add_text("0.png");
  EXPECT_THAT(error_of(folder_.path(), ErrorKind::kInput), HasSubstr("0.png"));
}

TEST(SelectPoses, TakesEveryIntervalthPose) {
  const PoseSelection selection = select_poses(100, 3, 4);
  EXPECT_THAT(selection.indices, ElementsAre(0, 3, 6, 9));
  EXPECT_EQ(selection.frame_interval, 3);
  EXPECT_THAT(selection.note, IsEmpty());
}

TEST(SelectPoses, TakesAllThereAreWithoutAMaximum) {
  EXPECT_THAT(select_poses(7, 3, std::nullopt).indices, ElementsAre(0, 3, 6));
  EXPECT_THAT(select_poses(6, 3, std::nullopt).indices, ElementsAre(0, 3));
  EXPECT_THAT(select_poses(1, 3, std::nullopt).indices, ElementsAre(0));
  EXPECT_THAT(select_poses(5, 1'000'000'000'000'000'000, std::nullopt).indices, ElementsAre(0));
}

TEST(SelectPoses, NeedsExactlyThePosesTheFramesSpan) {
  EXPECT_THAT(select_poses(7, 2, 4).note, IsEmpty());
  const PoseSelection shorter = select_poses(6, 2, 4);
  EXPECT_THAT(shorter.indices, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(shorter.frame_interval, 1);
  EXPECT_THAT(shorter.note, HasSubstr("the interval is 1 and the video gets 4 frames"));
}

TEST(SelectPoses, MakesFewerFramesWhereThereAreFewerPoses) {
  const PoseSelection selection = select_poses(3, 1, 32);
  EXPECT_THAT(selection.indices, ElementsAre(0, 1, 2));
  EXPECT_THAT(selection.note, HasSubstr("the video gets 3 frames"));
  EXPECT_THAT(select_poses(1, 2, 32).indices, ElementsAre(0));
}

TEST(SelectPoses, OneFrameNeedsOnePose) {
  EXPECT_THAT(select_poses(1, 5, 1).indices, ElementsAre(0));
  EXPECT_THAT(select_poses(9, 5, 1).note, IsEmpty());
}

TEST(SelectPoses, DoesNotOverflow) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(select_poses(3, kHuge, kHuge).indices, ElementsAre(0, 1, 2));
}

// Every combination of small numbers against the rule as it is written down.
TEST(SelectPoses, AgreesWithTheRule) {
  for (std::int64_t n = 1; n <= 12; ++n) {
    for (std::int64_t k = 1; k <= 6; ++k) {
      for (std::int64_t frames = 1; frames <= 14; ++frames) {
        const bool enough = n >= k * (frames - 1) + 1;
        const std::int64_t interval = enough ? k : std::max<std::int64_t>(1, (n - 1) / (frames - 1));
        const PoseSelection selection = select_poses(n, k, frames);
        EXPECT_EQ(selection.frame_interval, interval) << n << ' ' << k << ' ' << frames;
        EXPECT_EQ(static_cast<std::int64_t>(selection.indices.size()), enough ? frames : std::min(frames, n));
        EXPECT_LT(selection.indices.back(), n);
        EXPECT_EQ(selection.note.empty(), enough);
      }
    }
  }
}

}  // namespace
}  // namespace unianimate::family
