// All jobs, in a database: every statement there is on them, once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unianimate/server/queue/job.h"
#include "unianimate/server/queue/sql_connection.h"

namespace unianimate::queue {

/// Which jobs list() gives; what is empty asks for nothing.
struct JobFilter {
  std::optional<JobState> state;
  std::optional<JobKind> kind;
  std::optional<std::string> label;
  std::optional<std::string> before;  ///< id of the job after which the list goes on
  std::int64_t limit = 1000;
};

struct Added {
  enum class Outcome {
    kNew,
    kThereAlready,  ///< the same was asked for with the same key
    kOtherBody,     ///< something else was asked for with the same key
    kNoRoom,        ///< as many as may wait do
  };
  Outcome outcome = Outcome::kNew;
  JobRow job;  ///< of kOtherBody: the one that has the key; of kNoRoom: none
};

/// How long a browser may come back without the token.
constexpr std::int64_t kSessionSeconds = 30LL * 24 * 3600;

constexpr std::int64_t kMostNotices = 20;

struct Notice {
  double created = 0;
  std::string text;  ///< one sentence
};

/// How many jobs there are.
struct JobCount {
  JobKind kind = JobKind::kAnimate;
  JobState state = JobState::kQueued;
  std::int64_t jobs = 0;
};

/// Whether every database can keep the text: it is UTF-8 and has no zero bytes.
bool is_fit(std::string_view text);

/// A text that not every database can keep.
class UnfitText : public Error {
 public:
  explicit UnfitText(std::string_view text);
};

/// A file, or an align job with poses, that a new job would be made from and that is not there.
class MissingInput : public Error {
 public:
  explicit MissingInput(std::string id);

  [[nodiscard]] const std::string& id() const noexcept { return id_; }

 private:
  std::string id_;
};

/// Belongs to one thread; any number of them, in any processes, may be at work on one database. Each change is one
/// transaction with a revision of its own, the next whole number, and revisions appear in their order: whoever has seen
/// all up to one misses nothing by asking for those after it.
///
/// All calls throw as SqlConnection, and UnfitText for text that is not UTF-8 or has zero bytes. Where a change is not
/// possible as the job is, or there is no such job, nothing is changed and none is given.
class JobQueue {
 public:
  /// Makes or upgrades the tables.
  explicit JobQueue(std::unique_ptr<SqlConnection> connection);

  // ---- for faces

  /// Throws also MissingInput.
  Added add(const NewJob& job);
  /// What add() would give for a key that was given before; none where it was not.
  std::optional<Added> added_before(const std::string& idempotency_key, const std::string& body_sha256);
  std::optional<JobRow> find(const std::string& id);
  /// Whether it was removed within the time of forget_removed(); not so for ids that this queue never had.
  bool is_removed(const std::string& id);
  /// Newest first, without removed ones.
  std::vector<JobRow> list(const JobFilter& filter = {});
  /// 0 for the next that a worker takes; none unless it is queued.
  std::optional<std::int64_t> position(const std::string& id);
  std::vector<JobCount> counts();
  /// Seconds since the job was queued that waits longest; 0 where none does.
  double longest_wait();

  /// Of all jobs, removed ones too, with a later revision; the oldest change first.
  std::vector<JobRow> changed_since(std::int64_t revision, std::int64_t limit = 1000);
  /// The last one.
  std::int64_t revision();
  /// What was removed up to this revision is forgotten: whoever has seen no more has to ask for everything.
  std::int64_t forgotten_revision();
  /// Forgets what was removed longer ago, workers that have said nothing since, and sessions that are over.
  void forget_removed(double seconds);

  /// Not of jobs that are over.
  std::optional<JobRow> change(const std::string& id, std::optional<std::int64_t> priority,
                               const std::optional<std::string>& label);
  /// A job that runs is asked to stop and is cancelled once its worker has stopped; not of jobs that are over.
  std::optional<JobRow> cancel(const std::string& id);
  /// Queues a failed or cancelled one again. `fresh`: it need not go on where it was begun; its work folder has to be
  /// gone by then.
  std::optional<JobRow> resume(const std::string& id, bool fresh);
  /// Removes the row, but for what others learn of it; the job's files are then of no use. A job that runs is removed
  /// once its worker has stopped: it is then still running in what is given. Not while one that waits or runs takes its
  /// poses.
  std::optional<JobRow> remove(const std::string& id);
  /// Jobs that are over, the one that ended first before the others, but plans, the `newest` that ended last and those
  /// whose poses another one takes that waits, runs or may be resumed.
  std::vector<JobRow> removable_jobs(std::int64_t newest);
  /// As remove(), of a job that is over and whose poses nobody needs; none where it is not as it was seen any more.
  std::optional<JobRow> remove_unneeded(const JobRow& seen);

  /// Nothing is taken from a queue that is paused; what runs goes on.
  bool paused();
  void set_paused(bool paused);
  std::optional<std::string> setting(const std::string& name);
  void set_setting(const std::string& name, const std::string& value);
  /// What it is; `value` from now on where it was nothing.
  std::string setting_or(const std::string& name, const std::string& value);

  /// What whoever looks at the queue should know; the last kMostNotices are kept.
  void add_notice(const std::string& text);
  /// The newest first.
  std::vector<Notice> notices();

  /// Cookies of browsers, by their SHA-256.
  void open_session(const std::string& sha256);
  void close_session(const std::string& sha256);
  /// Whether it was opened in the last kSessionSeconds.
  bool has_session(const std::string& sha256);

  // ---- for workers

  /// The next job of the lane, now running, of those that were not begun, or begun on the same device with the same
  /// setup. Work that was begun otherwise is left to workers that can go on with it. Where there has been none for
  /// kPatienceSeconds, it is given to others on the same kind of device ("cuda"), who have to begin it from the start.
  /// Poses are no such work: nothing of them is kept before they are done.
  std::optional<JobRow> claim(const std::string& lane, const std::string& worker, const std::string& device,
                              const std::string& setup = {});
  /// Goes on holding the job; whether it is to stop. None: it is held no longer, by this attempt.
  std::optional<bool> renew(const Claim& claim);
  /// `saved`: the attempt has saved work that an earlier one had not. False: held no longer.
  bool report(const Claim& claim, const std::string& progress, bool saved);
  std::optional<JobRow> complete(const Claim& claim, const std::string& result);
  std::optional<JobRow> fail(const Claim& claim, const std::string& problem);
  std::optional<JobRow> stop_cancelled(const Claim& claim);
  /// As if the attempt had not been, but for what it saved; cancelled where that was asked for. Not before so many
  /// seconds have passed, if any.
  std::optional<JobRow> give_back(const Claim& claim, double not_before_seconds = 0);
  /// The attempt ended without a result. Queued again, unless that was the last of kMostIdleAttempts that saved
  /// nothing, or it was to be cancelled.
  /// `problem`: what it fails with then; none: that its worker ended without a word.
  std::optional<JobRow> lose(const Claim& claim, const std::optional<std::string>& problem = std::nullopt);
  /// The same for all that the worker holds; how many.
  int lose_all_of(const std::string& worker, const std::optional<std::string>& problem = std::nullopt);
  /// As give_back(), for the jobs of a worker that somebody ended.
  int give_back_all_of(const std::string& worker);
  /// The same for all that nobody has held for the time of a lease. claim() does this first.
  int lose_expired();

  void see(const WorkerRow& worker);
  void forget_worker(const std::string& id);
  /// Those that said something in the last so many seconds.
  std::vector<WorkerRow> workers(double seconds = kLeaseSeconds);

  // ---- files that jobs are made from

  /// One with this content, which may be there already; whether it is new.
  std::pair<AssetRow, bool> add_asset(const AssetRow& asset);
  std::optional<AssetRow> find_asset(const std::string& id);
  std::vector<AssetRow> assets_of(const std::string& job);
  /// False where a job needs it that is not removed, it was sent or used after `last_use`, or there is none.
  bool remove_asset(const std::string& id, double last_use = std::numeric_limits<double>::infinity());
  /// The jobs that need it and are not removed.
  std::vector<std::string> jobs_with(const std::string& asset);
  /// Those that no job needs and that none was made from in the last so many seconds; the oldest first.
  std::vector<AssetRow> unused_assets(double seconds);
  /// Bytes of those that none would need once removable_jobs(newest) were gone, and that none was made from likewise.
  std::int64_t removable_asset_bytes(std::int64_t newest, double seconds);

  /// See SqlConnection.
  bool wait_for_change(std::chrono::milliseconds longest) { return connection_->wait_for_change(longest); }
  /// Seconds since 1970 by the database's clock.
  double now();
  /// Throws where the database takes no changes.
  void require_writable();

 private:
  std::vector<SqlRow> execute(std::string statement, const std::vector<SqlValue>& parameters = {});
  std::vector<JobRow> select(const std::string& rest, const std::vector<SqlValue>& parameters);
  std::int64_t next_revision();
  /// Sets what is said, with $1 as the revision, where `where` finds one job.
  std::optional<JobRow> update(const std::string& set, const std::string& where, std::vector<SqlValue> parameters,
                               Keeping keeping = Keeping::kSurely);
  std::optional<JobRow> update_attempt(const std::string& set, const Claim& claim, std::vector<SqlValue> parameters,
                                       Keeping keeping = Keeping::kSurely);

  std::unique_ptr<SqlConnection> connection_;
};

}  // namespace unianimate::queue
