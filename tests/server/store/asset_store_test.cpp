#include "unianimate/server/store/asset_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "support/file_content.h"
#include "support/file_size_limit.h"
#include "support/temporary_folder.h"
#include "unianimate/core/error_causes.h"
#include "unianimate/server/store/store_lock.h"

namespace unianimate::store {
namespace {

namespace fs = std::filesystem;

class AssetStore : public ::testing::Test {
 protected:
  queue::JobQueue open() { return queue::JobQueue(queue::open_sqlite(folder_.database())); }
  [[nodiscard]] std::size_t files_in(const fs::path& folder) const {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file() && entry.path().filename() != ".lock") ++files;
    }
    return files;
  }

  testing::TemporaryFolder parent_;
  DataFolder folder_{parent_ / "data"};
  queue::JobQueue queue_ = open();
};

TEST(Sha256s, AreThoseOfTheStandard) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  for (int i = 0; i < 1'000'000; i += 1000) pieces.add(std::string(1000, 'a'));
  EXPECT_EQ(pieces.digits(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_F(AssetStore, KeepsWhatComesPieceByPiece) {
  const std::string content = "\x89PNG\r\n\x1a\n" + std::string(3000, 'x');
  AssetWriter writer(folder_);
  for (const char byte : content) writer.write({&byte, 1});
  EXPECT_EQ(writer.bytes(), static_cast<std::int64_t>(content.size()));
  const auto [asset, is_new] = writer.finish(queue_, "../../person.png");
  EXPECT_TRUE(is_new);
  EXPECT_EQ(asset.sha256, sha256_of(content));
  EXPECT_EQ(asset.type, "image/png");
  EXPECT_EQ(asset.name, "../../person.png");
  EXPECT_EQ(testing::file_content(file_of(folder_, asset)), content);
  EXPECT_EQ(queue_.find_asset(asset.id)->bytes, asset.bytes);
  EXPECT_EQ(files_in(folder_.incoming()), 0U);
}

TEST_F(AssetStore, KeepsOneContentOnce) {
  std::ofstream(parent_ / "one.json") << "{}";
  std::ofstream(parent_ / "two.json") << "{}";
  const auto one = store_file(folder_, queue_, parent_ / "one.json");
  const auto two = store_file(folder_, queue_, parent_ / "two.json");
  EXPECT_EQ(one.id, two.id);
  EXPECT_EQ(files_in(folder_.root() / "assets"), 1U);
  fs::remove(parent_ / "one.json");
  EXPECT_EQ(testing::file_content(file_of(folder_, one)), "{}");
}

TEST_F(AssetStore, RefusesWhatNoJobCanBeMadeFrom) {
  std::ofstream(parent_ / "evil.png") << "#!/bin/sh";
  for (const fs::path& path : {parent_ / "evil.png", parent_ / "missing.png", parent_.path()}) {
    try {
      store_file(folder_, queue_, path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(path.filename().string()));
    }
  }
  EXPECT_EQ(files_in(folder_.incoming()), 0U);
  EXPECT_EQ(files_in(folder_.root() / "assets"), 0U);
}

TEST_F(AssetStore, TellsLackOfRoomFromWhatElseGoesWrong) {
  {
    AssetWriter writer(folder_);
    const testing::FileSizeLimit limit(1'000'000);
    EXPECT_THROW(writer.write(std::string(1'000'001, 'x')), DiskFull);
  }
  EXPECT_EQ(files_in(folder_.incoming()), 0U);
  fs::remove(folder_.incoming());
  try {
    const AssetWriter writer(folder_);
    FAIL();
  } catch (const DiskFull&) {
    FAIL() << "there is room";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
  }
}

TEST_F(AssetStore, ClearsWhatEndedProcessesLeftAlone) {
  std::ofstream(folder_.incoming() / "left") << "half";
  AssetWriter writer(folder_);
  writer.write("{}");
  clear_incoming(folder_);
  EXPECT_EQ(files_in(folder_.incoming()), 1U);
  EXPECT_TRUE(writer.finish(queue_, std::nullopt).second);
}

TEST_F(AssetStore, RemovesWhatNoJobNeeds) {
  std::ofstream(parent_ / "one.json") << "{}";
  const auto asset = store_file(folder_, queue_, parent_ / "one.json");
  queue::NewJob job;
  job.request = "{}";
  job.assets = {asset.id};
  const std::string id = queue_.add(job).job.id;
  EXPECT_FALSE(remove_asset(folder_, queue_, asset));
  EXPECT_TRUE(fs::exists(file_of(folder_, asset)));
  queue_.remove(id);
  EXPECT_TRUE(remove_asset(folder_, queue_, asset));
  EXPECT_FALSE(fs::exists(file_of(folder_, asset)));
}

TEST_F(AssetStore, IsNotWaitedForWithoutEnd) {
  const StoreLock held(folder_);
  try {
    const StoreLock lock(folder_, std::chrono::milliseconds(0));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kEnvironment);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(fmt::format("held by process {} of ", ::getpid())));
  }
}

TEST_F(AssetStore, HasTheFileOfEveryRowWhileOthersRemoveAndStoreIt) {
  std::ofstream(parent_ / "one.json") << "{}";
  const auto work = [this](bool removes) {
    queue::JobQueue queue = open();
    for (int i = 0; i < 30; ++i) {
      const auto asset = store_file(folder_, queue, parent_ / "one.json");
      if (removes) remove_asset(folder_, queue, asset);
    }
  };
  std::thread remover(work, true);
  std::thread keeper(work, false);
  remover.join();
  keeper.join();
  const auto asset = store_file(folder_, queue_, parent_ / "one.json");
  EXPECT_EQ(testing::file_content(file_of(folder_, asset)), "{}");
  EXPECT_EQ(files_in(folder_.root() / "assets"), 1U);
}

}  // namespace
}  // namespace unianimate::store
