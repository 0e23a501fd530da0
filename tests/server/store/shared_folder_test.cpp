#include "unianimate/server/store/shared_folder.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"

namespace unianimate::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SharedFolders : public ::testing::Test {
 protected:
  queue::JobQueue open() { return queue::JobQueue(queue::open_sqlite(parent_ / "elsewhere.db")); }
  std::string refusal(const fs::path& folder) { return refusal(folder, queue_); }
  static std::string refusal(const fs::path& folder, queue::JobQueue& queue) {
    try {
      keep_together(DataFolder(folder), queue);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }

  testing::TemporaryFolder parent_;
  queue::JobQueue queue_ = open();
};

TEST_F(SharedFolders, GoWithOneQueueByOnePath) {
  EXPECT_EQ(refusal(parent_ / "data"), "");
  EXPECT_EQ(refusal(parent_ / "data/"), "");
  EXPECT_EQ(refusal(parent_ / "data/../data"), "");
  EXPECT_THAT(refusal(parent_ / "other"), HasSubstr("goes with the data folder " + (parent_ / "data").string()));
  fs::create_directory_symlink(parent_ / "data", parent_ / "alias");
  EXPECT_THAT(refusal(parent_ / "alias"), HasSubstr("by one path"));
  EXPECT_EQ(refusal(parent_ / "data"), "") << "it still does";
}

TEST_F(SharedFolders, AreNotTakenForThoseOfOtherMachines) {
  EXPECT_EQ(refusal(parent_ / "data"), "");
  fs::rename(parent_ / "data", parent_ / "first");
  EXPECT_THAT(refusal(parent_ / "data"), HasSubstr("of another file system"));
  queue::JobQueue other(queue::open_sqlite(parent_ / "second.db"));
  keep_together(DataFolder(parent_ / "data"), other);
  EXPECT_THAT(refusal(parent_ / "data"), HasSubstr("of another file system"));
  fs::rename(parent_ / "data", parent_ / "second");
  fs::rename(parent_ / "first", parent_ / "data");
  EXPECT_EQ(refusal(parent_ / "data"), "");
}

TEST_F(SharedFolders, GoWithNoSecondQueueUnlessSomebodySaysSo) {
  EXPECT_EQ(refusal(parent_ / "data"), "");
  queue::JobQueue other(queue::open_sqlite(parent_ / "new.db"));
  EXPECT_THAT(refusal(parent_ / "data", other), HasSubstr("goes with another queue"));
  EXPECT_FALSE(other.setting("data_folder")) << "nothing is tied";
  fs::remove(parent_ / "data/queue");
  EXPECT_EQ(refusal(parent_ / "data", other), "");
}

TEST_F(SharedFolders, HaveNoOtherQueue) {
  const DataFolder folder(parent_ / "data");
  const auto refusal_of_own = [&] {
    try {
      require_own_queue(folder);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal_of_own(), "");
  std::string id;
  {
    queue::JobQueue own(queue::open_sqlite(folder.database()));
    queue::NewJob job;
    job.request = "{}";
    id = own.add(job).job.id;
  }
  EXPECT_THAT(refusal(parent_ / "data"), HasSubstr("a queue of its own with 1 job in server.db"));
  EXPECT_FALSE(queue_.setting("data_folder")) << "nothing is tied";
  EXPECT_EQ(refusal_of_own(), "");
  queue::JobQueue(queue::open_sqlite(folder.database())).remove(id);
  EXPECT_EQ(refusal(parent_ / "data"), "");
  EXPECT_THAT(refusal_of_own(), HasSubstr("goes with a queue in a database"));
}

TEST_F(SharedFolders, AreTiedOnceByMany) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      queue::JobQueue mine = open();
      EXPECT_NO_THROW(keep_together(DataFolder(parent_ / "data"), mine));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(fs::is_empty(parent_ / "data/incoming"));
}

}  // namespace
}  // namespace unianimate::store
