#include "unianimate/pose/draw/pose_folder_writer.h"
#include "support/file_content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/written_mark.h"
#include "unianimate/media/pictures/image_reader.h"
#include "unianimate/media/pictures/image_writer.h"

namespace unianimate::pose {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;
using Names = std::set<std::string>;

Image picture(std::uint8_t value) {
  Image image(16, 24);
  std::ranges::fill(image.pixels, value);
  return image;
}

Names listing(const fs::path& folder) {
  Names names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

void write_folder(const fs::path& folder, std::size_t poses, std::uint8_t value = 100) {
  PoseFolderWriter writer(folder);
  writer.write_reference_pose(picture(value));
  for (std::size_t i = 0; i < poses; ++i) writer.write_pose(i, picture(value));
  writer.finish();
}

void expect_refused(const fs::path& folder, ErrorKind kind, const std::string& mentioned) {
  try {
    PoseFolderWriter writer(folder);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(mentioned), std::string::npos) << error.what();
  }
}

TEST(PoseFolderWriter, NamesPicturesAsThePublishedTool) {
  const TemporaryFolder place;
  PoseFolderWriter writer(place / "poses");
  writer.write_reference_pose(picture(1));
  for (const std::size_t i : {0, 9, 10, 999, 9999, 10000}) writer.write_pose(i, picture(2));
  EXPECT_FALSE(fs::exists(place / "poses")) << "before it is complete";
  writer.finish();
  EXPECT_EQ(listing(place / "poses"),
            (Names{"ref_pose.jpg", "0000.jpg", "0009.jpg", "0010.jpg", "0999.jpg", "9999.jpg", "10000.jpg"}));
  EXPECT_EQ(listing(place.path()), Names{"poses"});
}

TEST(PoseFolderWriter, GivesTheNamesOfManyPosesMoreDigits) {
  const TemporaryFolder place;
  PoseFolderWriter writer(place / "poses", 10'001);
  for (const std::size_t index : {9, 10'000}) writer.write_pose(index, picture(2));
  writer.finish();
  EXPECT_EQ(listing(place / "poses"), (Names{"00009.jpg", "10000.jpg"}));
}

TEST(PoseFolderWriter, WritesJpegOfQuality95WithAMark) {
  const TemporaryFolder place;
  Image image = picture(0);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 37);
  PoseFolderWriter writer(place / "poses");
  writer.write_pose(0, image);
  writer.finish();
  const fs::path file = place / "poses/0000.jpg";
  EXPECT_EQ(testing::file_content(file), encode_jpeg(image, 95, "unianimate pose picture"));
  EXPECT_EQ(written_mark(file), "unianimate pose picture");
  EXPECT_EQ(read_image_header(file).format, ImageFormat::kJpeg);
  EXPECT_EQ(read_image_header(file).width, 16);
}

TEST(PoseFolderWriter, ReplacesItsOwnFolderAsAWhole) {
  const TemporaryFolder place;
  write_folder(place / "poses", 5, 10);
  const std::string before = testing::file_content(place / "poses/0000.jpg");
  write_folder(place / "poses/", 2, 200);
  EXPECT_EQ(listing(place / "poses"), (Names{"ref_pose.jpg", "0000.jpg", "0001.jpg"}));
  EXPECT_NE(testing::file_content(place / "poses/0000.jpg"), before);
  EXPECT_EQ(listing(place.path()), Names{"poses"});
}

TEST(PoseFolderWriter, TakesAnEmptyFolder) {
  const TemporaryFolder place;
  fs::create_directory(place / "poses");
  write_folder(place / "poses", 1);
  EXPECT_EQ(listing(place / "poses"), (Names{"ref_pose.jpg", "0000.jpg"}));
}

TEST(PoseFolderWriter, LeavesFoldersOfOthersAlone) {
  const TemporaryFolder place;
  write_folder(place / "poses", 1);
  std::ofstream(place / "poses/notes.txt") << "mine";
  expect_refused(place / "poses", ErrorKind::kUsage, "notes.txt");
  EXPECT_EQ(testing::file_content(place / "poses/notes.txt"), "mine");
  fs::remove(place / "poses/notes.txt");
  write_jpeg(place / "poses/holiday.jpg", picture(3));
  expect_refused(place / "poses", ErrorKind::kUsage, "holiday.jpg");
  fs::remove(place / "poses/holiday.jpg");
  fs::create_directory(place / "poses/inner");
  expect_refused(place / "poses", ErrorKind::kUsage, "inner");
  EXPECT_EQ(listing(place / "poses"), (Names{"ref_pose.jpg", "0000.jpg", "inner"}));
  EXPECT_EQ(listing(place.path()), Names{"poses"}) << "nothing is left beside it";
}

TEST(PoseFolderWriter, LeavesAFileOfThatNameAlone) {
  const TemporaryFolder place;
  std::ofstream(place / "poses") << "a file";
  expect_refused(place / "poses", ErrorKind::kEnvironment, "poses");
  EXPECT_EQ(testing::file_content(place / "poses"), "a file");
}

TEST(PoseFolderWriter, NoticesWhatIsPutThereMeanwhile) {
  const TemporaryFolder place;
  write_folder(place / "poses", 1);
  PoseFolderWriter writer(place / "poses");
  writer.write_pose(0, picture(1));
  std::ofstream(place / "poses/notes.txt") << "mine";
  EXPECT_THROW(writer.finish(), Error);
  EXPECT_EQ(testing::file_content(place / "poses/notes.txt"), "mine");
}

TEST(PoseFolderWriter, LeftHalfWayLeavesWhatWasThere) {
  const TemporaryFolder place;
  write_folder(place / "poses", 2);
  const std::string before = testing::file_content(place / "poses/0001.jpg");
  {
    PoseFolderWriter writer(place / "poses");
    writer.write_pose(0, picture(250));
    writer.write_pose(1, picture(250));
  }
  EXPECT_EQ(testing::file_content(place / "poses/0001.jpg"), before);
  EXPECT_EQ(listing(place / "poses"), (Names{"ref_pose.jpg", "0000.jpg", "0001.jpg"}));
  EXPECT_EQ(listing(place.path()), Names{"poses"});
  {
    PoseFolderWriter writer(place / "others");
    writer.write_pose(0, picture(250));
  }
  EXPECT_EQ(listing(place.path()), Names{"poses"});
}

TEST(PoseFolderWriterDeathTest, KilledHalfWayLeavesWhatWasThere) {
  const TemporaryFolder place;
  write_folder(place / "poses", 2);
  const std::string before = testing::file_content(place / "poses/0001.jpg");
  EXPECT_EXIT(
      {
        PoseFolderWriter writer(place / "poses");
        writer.write_pose(1, picture(250));
        std::raise(SIGKILL);
      },
      ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(testing::file_content(place / "poses/0001.jpg"), before);
  write_folder(place / "poses", 1);
  EXPECT_EQ(listing(place / "poses"), (Names{"ref_pose.jpg", "0000.jpg"}));
}

TEST(PoseFolderWriter, RefusesPlacesThatAreNone) {
  const TemporaryFolder place;
  expect_refused(place / "missing/poses", ErrorKind::kEnvironment, "missing");
  expect_refused("/proc/poses", ErrorKind::kEnvironment, "/proc");
}

TEST(PoseFolderWriter, TakesPicturesFromSeveralThreads) {
  const TemporaryFolder place;
  PoseFolderWriter writer(place / "poses");
  {
    constexpr std::size_t kThreads = 4;
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t i = thread; i < 100; i += kThreads)
          writer.write_pose(i, picture(static_cast<std::uint8_t>(i)));
      });
    }
  }
  writer.finish();
  EXPECT_EQ(listing(place / "poses").size(), 100);
  EXPECT_EQ(read_image(place / "poses/0042.jpg"), picture(42));
}

}  // namespace
}  // namespace unianimate::pose
