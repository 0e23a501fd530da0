#include "unianimate/core/output_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"

namespace unianimate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kOwn = R"({"format":"unianimate-poses"})";

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path) << content;
}

std::string refusal(const Inputs& inputs, const fs::path& output) {
  try {
    inputs.refuse(output);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(Inputs, AreKnownUnderEveryName) {
  const testing::TemporaryFolder folder;
  fs::create_directories(folder / "sub/poses");
  write(folder / "dance.mp4", "a video");
  fs::create_symlink("dance.mp4", folder / "link.mp4");
  fs::create_hard_link(folder / "dance.mp4", folder / "sub/same.mp4");
  fs::create_directory_symlink("sub", folder / "way");
  Inputs inputs;
  inputs.add(folder / "dance.mp4");
  for (const char* output :
       {"dance.mp4", "./dance.mp4", "sub/../dance.mp4", "link.mp4", "sub/same.mp4", "way/same.mp4"}) {
    EXPECT_THAT(refusal(inputs, folder / output), HasSubstr("the original would be gone")) << output;
  }
  EXPECT_EQ(refusal(inputs, folder / "other.mp4"), "");
  EXPECT_EQ(refusal(inputs, folder / "sub"), "");
  write(folder / "other.mp4", "another video");
  EXPECT_EQ(refusal(inputs, folder / "other.mp4"), "");
}

TEST(Inputs, KeepTheFolderTheyLieIn) {
  const testing::TemporaryFolder folder;
  fs::create_directories(folder / "poses/frames");
  fs::create_directory(folder / "store");
  write(folder / "store/real.png", "a picture");
  write(folder / "poses/0.png", "a picture");
  fs::create_directory(folder / "pictures");
  fs::create_symlink(folder / "store/real.png", folder / "pictures/reference.png");
  Inputs inputs;
  inputs.add(folder / "pictures/reference.png");
  inputs.add_folder(folder.path() / "poses/");
  EXPECT_THAT(refusal(inputs, folder / "poses"), HasSubstr("is the input"));
  EXPECT_THAT(refusal(inputs, folder.path() / "poses/"), HasSubstr("is the input"));
  EXPECT_THAT(refusal(inputs, folder / "poses/0.png"), HasSubstr("0.png"));
  EXPECT_THAT(refusal(inputs, folder / "pictures"), HasSubstr("holds the input"));
  EXPECT_THAT(refusal(inputs, folder / "store"), HasSubstr("holds the input"));
  EXPECT_EQ(refusal(inputs, folder / "poses/frames"), "");
  EXPECT_EQ(refusal(inputs, folder / "poses/new.mp4"), "");
}

TEST(Inputs, MayBeMissing) {
  Inputs inputs;
  inputs.add("");
  inputs.add("/nowhere/at/all");
  inputs.add_folder("/nowhere/at/all");
  EXPECT_EQ(refusal(inputs, "/nowhere/at/all"), "");
  EXPECT_EQ(refusal(inputs, ""), "");
}

TEST(OwnPlace, ReplacesOnlyWhatHasTheMark) {
  const testing::TemporaryFolder folder;
  const fs::path wanted = folder / "poses.v1.json";
  EXPECT_EQ(own_place(wanted), wanted);
  write(wanted, kOwn);
  EXPECT_EQ(own_place(wanted), wanted);
  EXPECT_EQ(own_place(wanted, kPreviewMark), folder / "poses.v1-2.json");
  Inputs inputs;
  inputs.add(wanted);
  EXPECT_EQ(own_place(wanted, kMark, inputs), folder / "poses.v1-2.json");
  write(wanted, "{\"mine\": true}");
  EXPECT_EQ(own_place(wanted), folder / "poses.v1-2.json");
  fs::create_directory(folder / "poses.v1-2.json");
  fs::create_symlink("nowhere", folder / "poses.v1-3.json");
  EXPECT_EQ(own_place(wanted), folder / "poses.v1-4.json");
  write(folder / "poses.v1-4.json", kOwn);
  EXPECT_EQ(own_place(wanted), folder / "poses.v1-4.json");
}

TEST(OwnFolder, IsNumberedAtItsEnd) {
  const testing::TemporaryFolder folder;
  const fs::path wanted = folder / "dance.v2-poses";
  EXPECT_EQ(shared_folder(wanted), wanted);
  fs::create_directory(wanted);
  EXPECT_EQ(shared_folder(wanted), wanted);
  EXPECT_EQ(own_folder(wanted, [](const fs::path&) { return false; }), folder / "dance.v2-poses-2");
  fs::remove(wanted);
  write(wanted, "a file");
  EXPECT_EQ(shared_folder(wanted), folder / "dance.v2-poses-2");
}

TEST(Beside, FitsTheFileSystem) {
  EXPECT_EQ(beside("videos/dance", "-job"), "videos/dance-job");
  EXPECT_EQ(beside("frames/", "-job"), "frames-job");
  const std::string longest =
      std::string(126, 'a') + std::string(62, 'b') + "\u00e4\u00e4\u00e4" + std::string(61, 'c');
  const std::string name = beside("videos/" + longest, "-preview.mp4").filename().string();
  EXPECT_LE(name.size(), 255U);
  EXPECT_TRUE(name.starts_with(std::string(126, 'a')));
  EXPECT_TRUE(name.ends_with("-preview.mp4"));
  EXPECT_NE(name, beside("videos/" + longest + "d", "-preview.mp4").filename().string());
}

TEST(TellPlace, SpeaksOnlyOfAnotherPlace) {
  struct Notes : Progress {
    void note(const std::string& message) override { messages.push_back(message); }
    std::vector<std::string> messages;
  } notes;
  tell_place("a.mp4", "a.mp4", notes);
  EXPECT_TRUE(notes.messages.empty());
  tell_place("a.mp4", "a-2.mp4", notes);
  ASSERT_EQ(notes.messages.size(), 1U);
  EXPECT_THAT(notes.messages.front(), HasSubstr("a-2.mp4"));
}

}  // namespace
}  // namespace unianimate
