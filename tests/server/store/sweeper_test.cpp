#include "unianimate/server/store/sweeper.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"
#include "unianimate/core/folder_lock.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/asset_store.h"
#include "unianimate/server/store/removal.h"
#include "unianimate/server/store/store_lock.h"

namespace unianimate::store {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kDay = Retention::kDay;

class Sweeping : public ::testing::Test {
 protected:
  static queue::NewJob some_job() {
    queue::NewJob job;
    job.request = "{}";
    return job;
  }
  /// A job that ended so long ago and has left so many bytes.
  std::string add_job(double days_ago, std::size_t bytes = 1000, const char* state = "completed") {
    const std::string id = queue_.add(some_job()).job.id;
    fs::create_directories(folder_.work(id));
    write(folder_.result(id, 1, ".mp4"), bytes);
    set_state(id, state, days_ago);
    return id;
  }
  void set_state(const std::string& id, const char* state, double days_ago) {
    raw_->execute(
        "UPDATE job SET state=$1, finished=$2 WHERE id=$3",
        {queue::SqlValue(std::string(state)), queue::SqlValue(queue_.now() - days_ago * kDay), queue::SqlValue(id)});
  }
  queue::AssetRow add_asset(const std::string& content, double days_ago) {
    AssetWriter writer(folder_);
    writer.write("{" + content);
    const queue::AssetRow asset = writer.finish(queue_, std::nullopt).first;
    age(asset.id, days_ago);
    return asset;
  }
  void age(const std::string& asset, double days_ago) {
    raw_->execute("UPDATE asset SET used=$1 WHERE id=$2",
                  {queue::SqlValue(queue_.now() - days_ago * kDay), queue::SqlValue(asset)});
  }
  static void write(const fs::path& file, std::size_t bytes) { std::ofstream(file) << std::string(bytes, 'x'); }
  bool is_there(const std::string& job) { return queue_.find(job) && fs::exists(folder_.job(job)); }
  Sweeper sweeper() { return {folder_, queue_, retention_}; }

  testing::TemporaryFolder parent_;
  DataFolder folder_{parent_ / "data"};
  queue::JobQueue queue_{queue::open_sqlite(folder_.database())};
  std::unique_ptr<queue::SqlConnection> raw_ = queue::open_sqlite(folder_.database());
  Retention retention_{.quota_bytes = 1'000'000'000, .finished_seconds = 30 * kDay, .always_kept = 0, .free_bytes = 0};
};

TEST_F(Sweeping, RemovesNothingThatWasMadeUnlessSomebodySaysSo) {
  const std::string done = add_job(4000, 300'000);
  const std::string failed = add_job(4000, 1000, "failed");
  const auto unused = add_asset(std::string(300'000, 'a'), 2);
  retention_ = {.always_kept = 0, .free_bytes = 0};
  raw_->execute("INSERT INTO setting (name, value) VALUES ('quota_bytes', $1)",
                {queue::SqlValue(std::to_string(disk_use(folder_).total() + 100'000))});
  Sweeper sweeper = this->sweeper();
  sweeper.sweep(queue_);
  EXPECT_TRUE(is_there(done));
  EXPECT_EQ(sweeper.refusal(queue_, 200'000), std::nullopt);
  EXPECT_FALSE(fs::exists(file_of(folder_, unused))) << "no job was made from it";
  EXPECT_THAT(sweeper.refusal(queue_, 500'000).value_or(""),
              AllOf(HasSubstr("unianimate queue delete"), HasSubstr("--quota SIZE"), HasSubstr("--keep DAYS")));
  EXPECT_TRUE(is_there(done));
  EXPECT_TRUE(is_there(failed)) << "it may be resumed";
  retention_.free_bytes = std::numeric_limits<std::uintmax_t>::max();
  this->sweeper().sweep(queue_);
  EXPECT_TRUE(is_there(done)) << "nor for a full disk";
  EXPECT_TRUE(is_there(failed));
}

TEST_F(Sweeping, LooksAtFilesOnlyWhenItSweeps) {
  Sweeper sweeper = this->sweeper();
  const std::string id = add_job(0, 400'000);
  EXPECT_EQ(sweeper.account().use().results, 0U) << "nobody said so";
  EXPECT_EQ(sweeper.refusal(queue_, 1'000'000), std::nullopt);
  EXPECT_EQ(sweeper.account().use().results, 0U);
  sweeper.sweep(queue_);
  EXPECT_EQ(sweeper.account().use().results, 400'000U);
  write(folder_.result(id, 2, ".mp4"), 1000);
  EXPECT_EQ(sweeper.account().use().results, 400'000U);
  sweeper.account().count_job(id);
  EXPECT_EQ(sweeper.account().use().results, 401'000U);
  sweeper.account().forget_job(id);
  EXPECT_EQ(sweeper.account().use().results, 0U);
}

TEST_F(Sweeping, KeepsItsAccountAsIfItHadCounted) {
  Sweeper sweeper = this->sweeper();
  DiskAccount& account = sweeper.account();
  const auto total = [](const DiskUse& use) { return use.assets + use.incoming + use.work + use.results; };
  account.add_incoming(500);
  write(folder_.incoming() / "u", 500);
  EXPECT_EQ(total(account.use()), total(disk_use(folder_)));
  account.count();
  EXPECT_EQ(account.use().incoming, 500U) << "not twice";
  fs::remove(folder_.incoming() / "u");
  account.add_incoming(-500);
  const auto asset = add_asset("12345", 40);
  account.add_asset(asset);
  EXPECT_EQ(total(account.use()), total(disk_use(folder_)));
  const std::string id = add_job(90, 5000);
  write(folder_.work(id) / "segment-0-latents-1.safetensors", 700);
  account.count_job(id);
  EXPECT_EQ(account.use().work, 700U);
  EXPECT_EQ(account.bytes_of_job(id), 5700U);
  EXPECT_EQ(total(account.use()), total(disk_use(folder_)));
  sweeper.sweep(queue_);
  EXPECT_FALSE(is_there(id));
  EXPECT_EQ(total(account.use()), 0U);
}

TEST_F(Sweeping, KeepsWhatIsSaidWhileItCounts) {
  const auto kept = add_asset("kept", 0);
  auto dropped = add_asset("dropped", 0);
  const std::string gone = add_job(0, 3000);
  const std::string grown = add_job(0, 4000);
  DiskAccount account(folder_);
  const auto total = [](const DiskUse& use) { return use.assets + use.incoming + use.work + use.results; };
  // At each file that is looked at something else happens, which was seen before or will be seen or not.
  for (int at = 0; at < 8; ++at) {
    const auto before = account.use();
    std::optional<queue::AssetRow> came;
    std::string ended;
    int looked = 0;
    EXPECT_TRUE(account.count([&] {
      if (looked++ != at) return false;
      came = add_asset("came " + std::to_string(at), 0);
      account.add_asset(*came);
      remove_asset(folder_, queue_, dropped);
      account.remove_asset(dropped);
      folder_.remove_job(gone);
      account.forget_job(gone);
      write(folder_.result(grown, 2, ".mp4"), 500);
      account.count_job(grown);
      account.add_incoming(70);
      write(folder_.incoming() / "u", 70);
      return false;
    }));
    ASSERT_TRUE(came);
    EXPECT_EQ(total(account.use()), total(disk_use(folder_))) << at;
    EXPECT_EQ(account.use().incoming, 70U) << at;
    EXPECT_EQ(account.bytes_of_job(grown), 4500U);
    EXPECT_EQ(account.bytes_of_job(gone), 0U);
    // As it was.
    fs::remove(folder_.incoming() / "u");
    account.add_incoming(-70);
    remove_asset(folder_, queue_, *came);
    account.remove_asset(*came);
    dropped = add_asset("dropped", 0);
    account.add_asset(dropped);
    fs::create_directories(folder_.job(gone));
    write(folder_.result(gone, 1, ".mp4"), 3000);
    account.count_job(gone);
    fs::remove(folder_.result(grown, 2, ".mp4"));
    account.count_job(grown);
    EXPECT_EQ(total(account.use()), total(before)) << at;
  }
  EXPECT_TRUE(fs::exists(file_of(folder_, kept)));
}

TEST_F(Sweeping, LeavesItsAccountAsItWasWhereItIsToStop) {
  add_job(0, 3000);
  DiskAccount account(folder_);
  add_job(0, 5000);
  EXPECT_FALSE(account.count([] { return true; }));
  EXPECT_EQ(account.use().results, 3000U);
  EXPECT_THROW(DiskAccount(folder_, [] { return true; }), Error);
  bool stops = false;
  Sweeper sweeper(folder_, queue_, retention_, [&] { return stops; });
  const std::string old = add_job(90);
  stops = true;
  sweeper.sweep(queue_);
  EXPECT_TRUE(is_there(old)) << "nor is anything removed";
}

TEST_F(Sweeping, CountsNoWorkThatIsAboutToGo) {
  DiskAccount account(folder_);
  const std::string id = add_job(0, 3000);
  write(folder_.work(id) / "segment-0-latents-1.safetensors", 700);
  account.count_job(id, false);
  EXPECT_EQ(account.bytes_of_job(id), 3000U);
}

TEST_F(Sweeping, NoJobGoesForFilesThatAreGoneAlready) {
  const std::string job = add_job(3, 300'000);
  const fs::path elsewhere = folder_.result(add_job(1, 1000, "running"), 2, ".mp4");
  write(elsewhere, 400'000);
  retention_.quota_bytes = disk_use(folder_).total() + 100'000;
  Sweeper sweeper = this->sweeper();
  fs::remove(elsewhere);
  EXPECT_EQ(sweeper.refusal(queue_, 200'000), std::nullopt);
  EXPECT_TRUE(is_there(job));
  EXPECT_EQ(sweeper.refusal(queue_, 600'000), std::nullopt);
  EXPECT_FALSE(is_there(job));
}

TEST_F(Sweeping, WhatIsMadeAfterTheClockWasSetForwardIsAsOldAsItSays) {
  double elapsed = 100 * kDay;
  Aging aging(queue_, [&] { return elapsed; });
  EXPECT_EQ(aging.by_database(queue_, kDay), kDay);
  elapsed -= 3 * kDay;
  EXPECT_NEAR(aging.by_database(queue_, kDay), 4 * kDay, 60);
  const double seen = queue_.now();
  while (queue_.now() <= seen) std::this_thread::yield();
  EXPECT_NEAR(aging.by_database(queue_, kDay), 4 * kDay, 60);
  EXPECT_EQ(aging.by_database(queue_, 0), 0) << "the clock was set longer ago";
  elapsed -= 2 * kDay;
  EXPECT_NEAR(aging.by_database(queue_, 0), 5 * kDay, 60) << "it was set again";
  elapsed += 5 * kDay;
  EXPECT_NEAR(aging.by_database(queue_, kDay), kDay, 60);
}

TEST_F(Sweeping, KeepsNobodyWaitingWhileAnotherMakesRoom) {
  add_job(90, 2'000'000);
  retention_.quota_bytes = 1'500'000;
  std::promise<void> removing;
  std::promise<void> may_go_on;
  std::atomic<bool> armed = false;
  Sweeper sweeper(folder_, queue_, retention_, [&] {
    if (armed.exchange(false)) {
      removing.set_value();
      may_go_on.get_future().wait();
    }
    return false;
  });
  armed = true;
  auto first = std::async(std::launch::async, [&] {
    queue::JobQueue own(queue::open_sqlite(folder_.database()));
    return sweeper.refusal(own, 1000);
  });
  removing.get_future().wait();
  EXPECT_THROW(static_cast<void>(sweeper.refusal(queue_, 1000)), StoreBusy);
  may_go_on.set_value();
  EXPECT_EQ(first.get(), std::nullopt);
  EXPECT_EQ(sweeper.refusal(queue_, 1000), std::nullopt);
}

TEST_F(Sweeping, NothingAgesWhereTheClockIsSet) {
  const std::string job = add_job(29);
  const auto asset = add_asset("young", 6);
  double elapsed = 100 * kDay;
  Sweeper sweeper(folder_, queue_, retention_, DiskAccount::never, [&] { return elapsed; });
  // The database's clock is three days ahead of what has passed.
  elapsed -= 3 * kDay;
  sweeper.sweep(queue_);
  EXPECT_TRUE(is_there(job));
  EXPECT_TRUE(queue_.find_asset(asset.id));
  age(asset.id, 9.5);
  set_state(job, "completed", 32.5);
  sweeper.sweep(queue_);
  EXPECT_TRUE(is_there(job)) << "it is no older";
  EXPECT_TRUE(queue_.find_asset(asset.id));
  age(asset.id, 10.5);
  set_state(job, "completed", 33.5);
  sweeper.sweep(queue_);
  EXPECT_FALSE(is_there(job));
  EXPECT_FALSE(queue_.find_asset(asset.id));
  // Set back, it only makes things stay.
  const std::string other = add_job(29);
  elapsed += 100 * kDay;
  sweeper.sweep(queue_);
  EXPECT_TRUE(is_there(other));
}

TEST_F(Sweeping, RemovesWhatIsOldButNeverTheNewest) {
  retention_.always_kept = 2;
  const std::string oldest = add_job(90);
  const std::string failed = add_job(60, 1000, "failed");
  const std::string cancelled = add_job(50, 1000, "cancelled");
  const std::string newest = add_job(40);
  sweeper().sweep(queue_);
  EXPECT_FALSE(is_there(oldest));
  EXPECT_FALSE(fs::exists(folder_.job(oldest)));
  EXPECT_FALSE(is_there(failed));
  EXPECT_TRUE(is_there(cancelled));
  EXPECT_TRUE(is_there(newest));
  ASSERT_THAT(queue_.notices(), SizeIs(1));
  EXPECT_THAT(queue_.notices().front().text, HasSubstr("2 finished jobs, 2 kB in all, were removed"));
  EXPECT_THAT(queue_.notices().front().text, HasSubstr("--keep"));
}

TEST_F(Sweeping, RemovesWhatIsSavedOfCompletedJobsWhoseWorkerWasKilledThen) {
  const std::string killed = add_job(1);
  const std::string held = add_job(1);
  const std::string failed = add_job(1, 1000, "failed");
  for (const std::string& id : {killed, held, failed}) write(folder_.work(id) / "segment-000", 100);
  {
    const FolderLock lock(folder_.job(held), "worker");
    sweeper().sweep(queue_);
  }
  EXPECT_FALSE(fs::exists(folder_.work(killed)));
  EXPECT_TRUE(is_there(killed));
  EXPECT_TRUE(fs::exists(folder_.work(held))) << "a worker is about to";
  EXPECT_TRUE(fs::exists(folder_.work(failed))) << "it may be resumed";
}

TEST_F(Sweeping, KeepsWhatIsNotOldYet) {
  const std::string job = add_job(29);
  const auto asset = add_asset("young", 6);
  Sweeper sweeper = this->sweeper();
  sweeper.sweep(queue_);
  EXPECT_TRUE(is_there(job));
  EXPECT_TRUE(fs::exists(file_of(folder_, asset)));
  EXPECT_THAT(queue_.notices(), IsEmpty());
  EXPECT_THAT(sweeper.take_notices(), IsEmpty());
}

TEST_F(Sweeping, RemovesFilesThatNoJobNeedsAnyMore) {
  const auto needed = add_asset("needed", 40);
  const auto unused = add_asset("unused", 8);
  const auto of_old = add_asset("of an old job", 40);
  queue::NewJob waiting = some_job();
  waiting.assets = {needed.id};
  queue_.add(waiting);
  waiting.assets = {of_old.id};
  set_state(queue_.add(waiting).job.id, "completed", 31);
  for (const auto& asset : {needed, of_old}) age(asset.id, 40);
  Sweeper sweeper = this->sweeper();
  sweeper.sweep(queue_);
  EXPECT_TRUE(fs::exists(file_of(folder_, needed)));
  EXPECT_FALSE(fs::exists(file_of(folder_, unused)));
  EXPECT_FALSE(fs::exists(file_of(folder_, of_old)));
  EXPECT_FALSE(queue_.find_asset(unused.id));
  EXPECT_THAT(sweeper.take_notices(), ElementsAre(HasSubstr("1 finished job and 2 files")));
  EXPECT_THAT(sweeper.take_notices(), IsEmpty());
}

TEST_F(Sweeping, NeverRemovesWhatAJobNeedsThatMayGoOn) {
  retention_.quota_bytes = 1;
  const std::string waiting = add_job(90, 1000, "queued");
  const std::string running = add_job(90, 1000, "running");
  const std::string poses = add_job(80);
  queue::NewJob taker = some_job();
  taker.poses_job = poses;
  const std::string takes = queue_.add(taker).job.id;
  Sweeper sweeper = this->sweeper();
  sweeper.sweep(queue_);
  for (const std::string& id : {waiting, running, poses, takes}) EXPECT_TRUE(queue_.find(id)) << id;
  EXPECT_TRUE(is_there(poses));
  EXPECT_THAT(sweeper.refusal(queue_, 1).value_or(""), HasSubstr("--quota"));
  // One that may be resumed goes before its poses do.
  retention_.quota_bytes = 1'000'000'000;
  set_state(takes, "failed", 1);
  this->sweeper().sweep(queue_);
  EXPECT_TRUE(is_there(poses));
  set_state(takes, "completed", 1);
  this->sweeper().sweep(queue_);
  EXPECT_FALSE(is_there(poses));
}

TEST_F(Sweeping, MakesRoomByRemovingTheOldestAlone) {
  const std::string oldest = add_job(3, 300'000);
  const auto asset = add_asset(std::string(300'000, 'a'), 2);
  const auto fresh = add_asset(std::string(300'000, 'f'), 0);
  const std::string newest = add_job(1, 300'000);
  const std::uintmax_t used = disk_use(folder_).total();
  retention_.quota_bytes = used + 100'000;
  Sweeper sweeper = this->sweeper();
  EXPECT_EQ(sweeper.refusal(queue_, 100'000), std::nullopt);
  EXPECT_TRUE(is_there(oldest)) << "there was room";
  EXPECT_EQ(sweeper.refusal(queue_, 300'000), std::nullopt);
  EXPECT_FALSE(is_there(oldest));
  EXPECT_TRUE(fs::exists(file_of(folder_, asset)));
  EXPECT_EQ(sweeper.refusal(queue_, 600'000), std::nullopt);
  EXPECT_FALSE(fs::exists(file_of(folder_, asset)));
  EXPECT_TRUE(is_there(newest));
  const std::string refusal = sweeper.refusal(queue_, 2'000'000).value_or("");
  EXPECT_THAT(refusal, HasSubstr("2 MB more do not fit"));
  EXPECT_TRUE(is_there(newest)) << "nothing goes in vain";
  EXPECT_EQ(sweeper.refusal(queue_, 900'000), std::nullopt);
  EXPECT_FALSE(is_there(newest));
  EXPECT_TRUE(fs::exists(file_of(folder_, fresh))) << "its job may be about to come";
}

TEST_F(Sweeping, KeepsSomeOfTheDiskFree) {
  retention_.free_bytes = std::numeric_limits<std::uintmax_t>::max();
  EXPECT_THAT(sweeper().refusal(queue_, 0).value_or(""), HasSubstr("are kept free"));
}

TEST_F(Sweeping, SettlesItsQuotaOnce) {
  retention_.quota_bytes.reset();
  const std::uintmax_t quota = sweeper().quota();
  const double free = static_cast<double>(fs::space(folder_.root()).available);
  EXPECT_NEAR(static_cast<double>(quota), 0.8 * free, 0.1 * free);
  EXPECT_GE(quota, disk_use(folder_).total());
  raw_->execute("UPDATE setting SET value='12345' WHERE name='quota_bytes'");
  EXPECT_EQ(sweeper().quota(), 12345U);
}

TEST_F(Sweeping, CountsWhatIsInTheFolder) {
  const std::string id = add_job(0, 5000);
  write(folder_.work(id) / "segment-0-latents-1.safetensors", 700);
  write(folder_.incoming() / "u", 30);
  add_asset("12345", 0);
  const DiskUse use = disk_use(folder_);
  EXPECT_EQ(use.results, 5000U);
  EXPECT_EQ(use.work, 700U);
  EXPECT_EQ(use.incoming, 30U);
  EXPECT_EQ(use.assets, 6U);
  EXPECT_GT(use.database, 0U);
}

TEST_F(Sweeping, NoJobGoesForAFileThatOthersNeedToo) {
  const auto asset = add_asset(std::string(3'000'000, 'm'), 2);
  std::vector<std::string> jobs;
  for (int i = 0; i < 3; ++i) {
    queue::NewJob job = some_job();
    job.assets = {asset.id};
    jobs.push_back(queue_.add(job).job.id);
    fs::create_directories(folder_.work(jobs.back()));
    write(folder_.result(jobs.back(), 1, ".mp4"), 1000);
    set_state(jobs.back(), i == 2 ? "queued" : "completed", 3 - i);
  }
  age(asset.id, 2);
  retention_.quota_bytes = disk_use(folder_).total() + 1000;
  Sweeper sweeper = this->sweeper();
  EXPECT_THAT(sweeper.refusal(queue_, 2'500'000).value_or(""), HasSubstr("do not fit"));
  for (const std::string& job : jobs) EXPECT_TRUE(is_there(job)) << "the file would stay for the one that waits";
  set_state(jobs[2], "completed", 1);
  EXPECT_THAT(sweeper.refusal(queue_, 4'500'000).value_or(""), HasSubstr("do not fit"));
  for (const std::string& job : jobs) EXPECT_TRUE(is_there(job)) << "the file counts once";
  EXPECT_EQ(sweeper.refusal(queue_, 2'500'000), std::nullopt);
  EXPECT_FALSE(fs::exists(file_of(folder_, asset)));
}

TEST_F(Sweeping, LeavesFoldersOfJobsThatTheQueueNeverKnew) {
  const std::string id = queue::random_id('j');
  fs::create_directories(folder_.work(id));
  write(folder_.result(id, 1, ".mp4"), 1000);
  sweeper().sweep(queue_);
  EXPECT_TRUE(fs::exists(folder_.result(id, 1, ".mp4"))) << "the queue may be another one than the folder's";
}

TEST_F(Sweeping, RemovesFilesOfJobsThatAreGoneOnceNobodyHasThem) {
  const std::string id = add_job(0);
  set_state(id, "removed", 0);
  fs::create_directories(folder_.root() / "jobs" / "somebody's");
  {
    const FolderLock hung(folder_.job(id), "worker");
    sweeper().sweep(queue_);
    EXPECT_TRUE(fs::exists(folder_.work(id)));
  }
  sweeper().sweep(queue_);
  EXPECT_FALSE(fs::exists(folder_.job(id)));
  EXPECT_TRUE(fs::exists(folder_.root() / "jobs" / "somebody's"));
  fs::create_directories(folder_.root() / "jobs/.gone-x/work");
  sweeper().sweep(queue_);
  EXPECT_FALSE(fs::exists(folder_.root() / "jobs/.gone-x"));
}

TEST_F(Sweeping, ForgetsRowsThatNobodyAsksFor) {
  const std::string removed = add_job(0);
  remove_job(folder_, queue_, removed);
  queue_.open_session("new");
  queue_.open_session("old");
  raw_->execute("UPDATE session SET created=1 WHERE sha256='old'");
  raw_->execute("UPDATE job SET finished=1");
  sweeper().sweep(queue_);
  EXPECT_THAT(queue_.changed_since(0), IsEmpty());
  EXPECT_THAT(raw_->execute("SELECT sha256 FROM session"), SizeIs(1));
  EXPECT_TRUE(queue_.has_session("new"));
}

TEST_F(Sweeping, RemovesAJobWithItsFiles) {
  const std::string done = add_job(0);
  EXPECT_EQ(remove_job(folder_, queue_, done)->state, queue::JobState::kRemoved);
  EXPECT_FALSE(fs::exists(folder_.job(done)));
  EXPECT_FALSE(remove_job(folder_, queue_, done));
  const std::string id = queue_.add(some_job()).job.id;
  queue_.claim("video", "worker", "cpu fp32");
  fs::create_directories(folder_.work(id));
  EXPECT_EQ(remove_job(folder_, queue_, id)->state, queue::JobState::kRunning);
  EXPECT_TRUE(fs::exists(folder_.work(id))) << "its worker still has it";
}

}  // namespace
}  // namespace unianimate::store
