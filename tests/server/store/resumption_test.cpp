#include "unianimate/server/store/resumption.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/folder_lock.h"

namespace unianimate::store {
namespace {

namespace fs = std::filesystem;

class Resumption : public ::testing::Test {
 protected:
  /// With something saved.
  std::string add_cancelled() {
    queue::NewJob job;
    job.request = "{}";
    const std::string id = queue_.add(job).job.id;
    queue_.cancel(id);
    fs::create_directories(folder_.work(id) / "latents");
    return id;
  }

  testing::TemporaryFolder parent_;
  DataFolder folder_{parent_ / "data"};
  queue::JobQueue queue_{queue::open_sqlite(folder_.database())};
};

TEST_F(Resumption, KeepsWhatIsSavedUnlessItIsToBeginAnew) {
  const std::string kept = add_cancelled();
  EXPECT_EQ(resume_job(folder_, queue_, kept, false)->state, queue::JobState::kQueued);
  EXPECT_TRUE(fs::exists(folder_.work(kept) / "latents"));
  const std::string fresh = add_cancelled();
  EXPECT_EQ(resume_job(folder_, queue_, fresh, true)->state, queue::JobState::kQueued);
  EXPECT_FALSE(fs::exists(folder_.work(fresh)));
  EXPECT_EQ(folder_.jobs().size(), 2);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.root() / "jobs"), fs::directory_iterator()), 2)
      << "nothing is left aside";
}

TEST_F(Resumption, OfWhatIsNotOverTouchesNothing) {
  queue::NewJob job;
  job.request = "{}";
  const std::string waiting = queue_.add(job).job.id;
  for (const bool fresh : {true, false}) EXPECT_FALSE(resume_job(folder_, queue_, waiting, fresh));
  EXPECT_FALSE(fs::exists(folder_.job(waiting)));
}

TEST_F(Resumption, WaitsForAWorkerThatHung) {
  const std::string id = add_cancelled();
  const FolderLock held(folder_.job(id), "worker");
  EXPECT_THROW(static_cast<void>(resume_job(folder_, queue_, id, true)), Error);
  EXPECT_TRUE(fs::exists(folder_.work(id) / "latents"));
  EXPECT_EQ(queue_.find(id)->state, queue::JobState::kCancelled);
}

}  // namespace
}  // namespace unianimate::store
