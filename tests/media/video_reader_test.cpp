#include "unianimate/media/video_reader.h"

#include <gmock/gmock.h>

#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/media/video_writer.h"

namespace unianimate {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

class VideoReaderTest : public ::testing::Test {
 protected:
  // A video of eight frames, its bytes.
  std::string video(const std::string& name) {
    const auto sink = open_video_writer(folder_ / name, {.width = 64, .height = 48});
    for (int i = 0; i < 8; ++i) sink->write(testing::waves(64, 48, i));
    sink->finish();
    return testing::file_content(folder_ / name);
  }

  // Reads all; the frames that came out before the end or an Error(kInput).
  int frames_of(const std::string& bytes, std::string* error = nullptr) const {
    testing::write_file(folder_ / "given", bytes);
    int frames = 0;
    try {
      VideoReader reader(folder_ / "given");
      while (reader.next()) ++frames;
    } catch (const Error& problem) {
      EXPECT_EQ(problem.kind(), ErrorKind::kInput);
      if (error != nullptr) *error = problem.what();
    }
    return frames;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(VideoReaderTest, MissingFolderTextAndEmptyAreNamed) {
  const auto message = [](const std::filesystem::path& path) {
    return error_of(ErrorKind::kInput, [&] { const VideoReader reader(path); });
  };
  EXPECT_THAT(message(folder_ / "none.mp4"), AllOf(HasSubstr("none.mp4"), HasSubstr("does not exist")));
  EXPECT_THAT(message(folder_.path()), HasSubstr("is not a file"));
  testing::write_file(folder_ / "empty.mp4", "");
  EXPECT_THAT(message(folder_ / "empty.mp4"), HasSubstr("empty.mp4"));
  testing::write_file(folder_ / "text.mp4", "I am not a video.\n");
  EXPECT_THAT(message(folder_ / "text.mp4"), HasSubstr("text.mp4"));
}

TEST_F(VideoReaderTest, PlaylistsAreRefused) {
  video("a.mp4");
  testing::write_file(folder_ / "list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" +
                                                 (folder_ / "a.mp4").string() + "\n#EXT-X-ENDLIST\n");
  testing::write_file(folder_ / "list.ffconcat", "ffconcat version 1.0\nfile a.mp4\n");
  for (const char* name : {"list.m3u8", "list.ffconcat"}) {
    error_of(ErrorKind::kInput, [&] { const VideoReader reader(folder_ / name); });
  }
}

TEST_F(VideoReaderTest, PixelLimitHolds) {
  video("a.mp4");
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { const VideoReader reader(folder_ / "a.mp4", {.max_pixels = 3000}); }),
              AllOf(HasSubstr("64×48"), HasSubstr("at most 3000")));
}

TEST_F(VideoReaderTest, CutShortIsAnError) {
  const std::string bytes = video("a.mp4");
  ASSERT_EQ(frames_of(bytes), 8);
  for (std::size_t length = 1; length < bytes.size(); length += 97) {
    std::string error;
    EXPECT_LT(frames_of(bytes.substr(0, length), &error), 8) << length;
    EXPECT_FALSE(error.empty()) << length;
  }
}

TEST_F(VideoReaderTest, DamageNeverCrashes) {
  for (const char* name : {"a.mp4", "a.mkv", "a.webm", "a.gif"}) {
    const std::string bytes = video(name);
    for (std::size_t i = 0; i < bytes.size(); i += bytes.size() / 60) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(~damaged[i]);
      frames_of(damaged);
    }
  }
}

}  // namespace
}  // namespace unianimate
