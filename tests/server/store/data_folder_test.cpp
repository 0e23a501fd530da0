#include "unianimate/server/store/data_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/server/queue/random_id.h"

namespace unianimate::store {
namespace {

namespace fs = std::filesystem;

TEST(DataFolders, AreForTheirOwnerAlone) {
  const testing::TemporaryFolder parent;
  const DataFolder folder(parent / "some/data");
  EXPECT_EQ(fs::status(parent / "some/data").permissions() & fs::perms::all, fs::perms::owner_all);
  EXPECT_TRUE(fs::is_directory(folder.incoming()));
}

TEST(DataFolders, TakeNoNamesButIds) {
  const testing::TemporaryFolder parent;
  const DataFolder folder(parent.path());
  const std::string id = queue::random_id('j');
  EXPECT_EQ(folder.result(id, 3, ".mp4"), parent.path() / "jobs" / id / "result-3.mp4");
  for (const std::string& name : {std::string("../../etc"), std::string(), queue::random_id('a'), id + "/.."}) {
    EXPECT_THROW(static_cast<void>(folder.job(name)), Error) << name;
    EXPECT_THROW(folder.remove_job(name), Error) << name;
  }
  const std::string hash(64, 'a');
  EXPECT_EQ(folder.asset(hash, "video/mp4"), parent.path() / "assets/aa" / (hash + ".mp4"));
  EXPECT_THROW(static_cast<void>(folder.asset("../" + hash.substr(3), "video/mp4")), Error);
  EXPECT_THROW(static_cast<void>(folder.asset(hash, "text/html")), Error);
}

TEST(DataFolders, RemoveWhatBelongsToAJob) {
  const testing::TemporaryFolder parent;
  const DataFolder folder(parent.path());
  const std::string id = queue::random_id('j');
  fs::create_directories(folder.work(id));
  std::ofstream(folder.work(id) / "state.json") << "{}";
  std::ofstream(folder.result(id, 1, ".mp4")) << "video";
  folder.remove_work(id);
  EXPECT_FALSE(fs::exists(folder.work(id)));
  EXPECT_TRUE(fs::exists(folder.result(id, 1, ".mp4")));
  folder.remove_job(id);
  EXPECT_FALSE(fs::exists(folder.job(id)));
  EXPECT_NO_THROW(folder.remove_job(id));
  EXPECT_TRUE(fs::is_empty(parent / "jobs"));
}

TEST(DataFolders, RemoveWhatIsLeftOfJobs) {
  const testing::TemporaryFolder parent;
  const DataFolder folder(parent.path());
  fs::create_directories(parent / "jobs/.gone-x/work");
  fs::create_directories(parent / "jobs/somebody's");
  std::ofstream(parent / "jobs/.gone-x/.nfs0001") << "held";
  EXPECT_TRUE(folder.jobs().empty());
  folder.remove_rest();
  EXPECT_FALSE(fs::exists(parent / "jobs/.gone-x"));
  EXPECT_TRUE(fs::exists(parent / "jobs/somebody's"));
}

}  // namespace
}  // namespace unianimate::store
