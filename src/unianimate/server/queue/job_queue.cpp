#include "unianimate/server/queue/job_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "unianimate/core/error.h"
#include "unianimate/server/queue/job_problem.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/queue/schema.h"

namespace unianimate::queue {

namespace {

/// In the order in which job_of() takes them.
constexpr const char* kJobColumns =
    "id, kind, lane, state, priority, revision, label, request, poses_job, progress, result, problem, attempt,"
    " idle_attempts, worker, device, lease_until, not_before, cancel_requested, created, queued, place, started,"
    " finished, setup";

constexpr const char* kAssetColumns = "id, sha256, bytes, type, name, created, used";
constexpr const char* kPaused = "paused";
constexpr const char* kForgotten = "forgotten_revision";

/// Of a job that is over and may go. What takes its poses and may be resumed goes first.
constexpr const char* kUnneeded =
    "state IN ('completed', 'failed', 'cancelled') AND NOT EXISTS (SELECT 1 FROM job AS taker WHERE"
    " taker.poses_job=job.id AND taker.state IN ('queued', 'running', 'failed', 'cancelled'))";

/// Of removable_jobs(); `newest` is the parameter that says how many stay.
std::string removable(const char* newest) {
  return fmt::format(
      "{} AND kind<>'plan' AND id NOT IN (SELECT id FROM job WHERE kind<>'plan' AND state IN"
      " ('completed', 'failed', 'cancelled') ORDER BY finished DESC, id DESC LIMIT {})",
      kUnneeded, newest);
}

/// job.cancel_requested.
constexpr std::int64_t kRemoveRequested = 2;

std::string cancelled_problem() {
  return problem_text(JobProblem::kCancelled, "the job was cancelled");
}

/// What a job becomes whose attempt ended without a result.
constexpr const char* kLoseSet =
    "state=CASE WHEN cancel_requested=2 THEN 'removed' WHEN cancel_requested=1 THEN 'cancelled'"
    " WHEN idle_attempts>=$2 THEN 'failed' ELSE 'queued' END,"
    " problem=CASE WHEN cancel_requested=1 THEN $4 WHEN cancel_requested=0 AND idle_attempts>=$2 THEN $3 END,"
    " finished=CASE WHEN cancel_requested>0 OR idle_attempts>=$2 THEN NOW END, released=NOW,"
    " worker=NULL, lease_until=NULL, cancel_requested=0";

/// $2 … $4 of kLoseSet.
std::vector<SqlValue> lose_parameters(const std::optional<std::string>& problem) {
  static const std::string kLost =
      problem_text(JobProblem::kWorkerLost,
                   "its worker ended without a word three times in a row, and nothing new was saved in between: memory "
                   "that ran out, or a fault of the driver, is the usual reason");
  return {SqlValue(kMostIdleAttempts), SqlValue(problem.value_or(kLost)), SqlValue(cancelled_problem())};
}

JobRow job_of(const SqlRow& row) {
  std::size_t column = 0;
  JobRow job;
  job.id = row.text(column++);
  const auto kind = kind_of(row.text(column++));
  job.lane = row.text(column++);
  const auto state = state_of(row.text(column++));
  if (!kind || !state) {
    throw Error(ErrorKind::kInput, "the queue's database has a job {} of a kind or state that is not known",
                printable(job.id));
  }
  job.kind = *kind;
  job.state = *state;
  job.priority = row.number(column++);
  job.revision = row.number(column++);
  job.label = row.optional_text(column++);
  job.request = row.text(column++);
  job.poses_job = row.optional_text(column++);
  job.progress = row.optional_text(column++);
  job.result = row.optional_text(column++);
  job.problem = row.optional_text(column++);
  job.attempt = row.number(column++);
  job.idle_attempts = row.number(column++);
  job.worker = row.optional_text(column++);
  job.device = row.optional_text(column++);
  job.lease_until = row.optional_real(column++);
  job.not_before = row.optional_real(column++);
  job.cancel_requested = row.number(column++) > 0;
  job.created = row.real(column++);
  job.queued = row.real(column++);
  job.place = row.number(column++);
  job.started = row.optional_real(column++);
  job.finished = row.optional_real(column++);
  job.setup = row.optional_text(column++);
  return job;
}

AssetRow asset_of(const SqlRow& row) {
  std::size_t column = 0;
  AssetRow asset;
  asset.id = row.text(column++);
  asset.sha256 = row.text(column++);
  asset.bytes = row.number(column++);
  asset.type = row.text(column++);
  asset.name = row.optional_text(column++);
  asset.created = row.real(column++);
  asset.used = row.real(column++);
  return asset;
}

std::vector<AssetRow> assets_in(const std::vector<SqlRow>& rows) {
  std::vector<AssetRow> assets;
  for (const SqlRow& row : rows) assets.push_back(asset_of(row));
  return assets;
}

std::optional<JobRow> first(std::vector<JobRow> jobs) {
  if (jobs.empty()) return std::nullopt;
  return std::move(jobs.front());
}

SqlValue text(std::string_view words) {
  return std::string(words);
}

}  // namespace

JobQueue::JobQueue(std::unique_ptr<SqlConnection> connection) : connection_(std::move(connection)) {
  upgrade_schema(*connection_);
}

bool is_fit(std::string_view text) {
  constexpr unsigned char kFirstBeyondAscii = 0x80;
  if (text.find('\0') != std::string_view::npos) return false;
  const auto is_ascii = [](unsigned char letter) { return letter < kFirstBeyondAscii; };
  if (std::ranges::all_of(text, is_ascii)) return true;
  try {
    static_cast<void>(nlohmann::json(text).dump());
  } catch (const nlohmann::json::type_error&) {
    return false;  // it is not UTF-8
  }
  return true;
}

UnfitText::UnfitText(std::string_view text)
    : Error(ErrorKind::kUsage,
            "'{}' cannot be kept in the queue: expected text that is UTF-8 and has no zero bytes (U+0000)",
            printable(text)) {}

MissingInput::MissingInput(std::string id)
    : Error(ErrorKind::kUsage, "there is no {}, from which the job would be made", printable(id)), id_(std::move(id)) {}

// ---- how statements are run

/// NOW stands for the database's clock.
std::vector<SqlRow> JobQueue::execute(std::string statement, const std::vector<SqlValue>& parameters) {
  for (const SqlValue& value : parameters) {
    const auto* const words = std::get_if<std::string>(&value);
    if (words != nullptr && !is_fit(*words)) throw UnfitText(*words);
  }
  constexpr std::string_view kNow = "NOW";
  for (std::size_t at = 0; (at = statement.find(kNow, at)) != std::string::npos; at += connection_->now().size()) {
    statement.replace(at, kNow.size(), connection_->now());
  }
  return connection_->execute(statement, parameters);
}

std::vector<JobRow> JobQueue::select(const std::string& rest, const std::vector<SqlValue>& parameters) {
  std::vector<JobRow> jobs;
  for (const SqlRow& row : execute(fmt::format("SELECT {} FROM job {}", kJobColumns, rest), parameters)) {
    jobs.push_back(job_of(row));
  }
  return jobs;
}

std::int64_t JobQueue::next_revision() {
  return execute("UPDATE counter SET revision=revision+1 RETURNING revision").front().number(0);
}

std::optional<JobRow> JobQueue::update(const std::string& set, const std::string& where,
                                       std::vector<SqlValue> parameters, Keeping keeping) {
  Transaction transaction(*connection_, keeping);
  parameters.insert(parameters.begin(), next_revision());
  const std::string statement =
      fmt::format("UPDATE job SET revision=$1, {} WHERE {} RETURNING {}", set, where, kJobColumns);
  const std::vector<SqlRow> rows = execute(statement, parameters);
  if (rows.empty()) return std::nullopt;
  JobRow job = job_of(rows.front());
  transaction.commit();
  return job;
}

std::optional<JobRow> JobQueue::update_attempt(const std::string& set, const Claim& claim,
                                               std::vector<SqlValue> parameters, Keeping keeping) {
  const std::size_t before = parameters.size() + 1;
  parameters.emplace_back(claim.job);
  parameters.emplace_back(claim.attempt);
  return update(set, fmt::format("id=${} AND attempt=${} AND state='running'", before + 1, before + 2),
                std::move(parameters), keeping);
}

// ---- for faces

std::optional<Added> JobQueue::added_before(const std::string& idempotency_key, const std::string& body_sha256) {
  const auto known = execute("SELECT body_sha256, job FROM idempotency WHERE key=$1", {SqlValue(idempotency_key)});
  auto job = known.empty() ? std::nullopt : find(known.front().text(1));
  if (!job) return std::nullopt;
  const bool same = known.front().text(0) == body_sha256;
  return Added{same ? Added::Outcome::kThereAlready : Added::Outcome::kOtherBody, std::move(*job)};
}

Added JobQueue::add(const NewJob& job) {
  if (job.priority < -kHighestPriority || job.priority > kHighestPriority) {
    throw Error(ErrorKind::kUsage, "the priority must be between {} and {}, found {}", -kHighestPriority,
                kHighestPriority, job.priority);
  }
  Transaction transaction(*connection_);
  const std::int64_t revision = next_revision();
  const std::string id = random_id('j');
  if (job.idempotency_key) {
    if (auto before = added_before(*job.idempotency_key, job.body_sha256)) return std::move(*before);
    execute("DELETE FROM idempotency WHERE key=$1", {SqlValue(*job.idempotency_key)});
  }
  if (job.most_waiting) {
    const auto waiting = execute("SELECT COUNT(*) FROM job WHERE state='queued'", {});
    if (waiting.front().number(0) >= *job.most_waiting) return {Added::Outcome::kNoRoom, {}};
  }
  if (job.idempotency_key) {
    execute("INSERT INTO idempotency (key, body_sha256, job, created) VALUES ($1, $2, $3, NOW)",
            {SqlValue(*job.idempotency_key), SqlValue(job.body_sha256), SqlValue(id)});
  }
  if (job.poses_job && !find(*job.poses_job)) throw MissingInput(*job.poses_job);
  execute(
      "INSERT INTO job (id, kind, lane, state, priority, revision, label, request, poses_job, created, queued, place)"
      " VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, NOW, NOW, $5)",
      {SqlValue(id), text(word(job.kind)), text(lane_of(job.kind)), SqlValue(job.priority), SqlValue(revision),
       sql_value(job.label), SqlValue(job.request), sql_value(job.poses_job)});
  for (const std::string& asset : job.assets) {
    execute("INSERT INTO job_asset (job, asset) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            {SqlValue(id), SqlValue(asset)});
    if (execute("UPDATE asset SET used=NOW WHERE id=$1 RETURNING id", {SqlValue(asset)}).empty()) {
      throw MissingInput(asset);
    }
  }
  Added added{Added::Outcome::kNew, *find(id)};
  transaction.commit();
  return added;
}

std::optional<JobRow> JobQueue::find(const std::string& id) {
  return first(select("WHERE id=$1 AND state<>'removed'", {SqlValue(id)}));
}

bool JobQueue::is_removed(const std::string& id) {
  return !execute("SELECT id FROM job WHERE id=$1 AND state='removed'", {SqlValue(id)}).empty();
}

std::vector<JobRow> JobQueue::list(const JobFilter& filter) {
  std::vector<SqlValue> parameters{SqlValue(filter.limit)};
  std::string where = "WHERE state<>'removed'";
  const auto require = [&](const char* condition, SqlValue value) {
    parameters.push_back(std::move(value));
    where += fmt::format(fmt::runtime(condition), parameters.size());
  };
  if (filter.state) require(" AND state=${}", text(word(*filter.state)));
  if (filter.kind) require(" AND kind=${}", text(word(*filter.kind)));
  if (filter.label) require(" AND label=${}", SqlValue(*filter.label));
  if (filter.before) {
    // Jobs that were made in one millisecond are told apart by their ids.
    require(" AND (created, id) < (SELECT created, id FROM job WHERE id=${})", SqlValue(*filter.before));
  }
  return select(where + " ORDER BY created DESC, id DESC LIMIT $1", parameters);
}

std::optional<std::int64_t> JobQueue::position(const std::string& id) {
  const auto rows = execute(
      "SELECT (SELECT COUNT(*) FROM job AS other WHERE other.lane=job.lane AND other.state='queued' AND"
      " (other.priority>job.priority OR (other.priority=job.priority AND other.place<job.place)))"
      " FROM job WHERE id=$1 AND state='queued'",
      {SqlValue(id)});
  if (rows.empty()) return std::nullopt;
  return rows.front().number(0);
}

std::vector<JobCount> JobQueue::counts() {
  std::vector<JobCount> counts;
  for (const SqlRow& row : execute("SELECT kind, state, COUNT(*) FROM job WHERE state<>'removed' GROUP BY kind, state"
                                   " ORDER BY kind, state")) {
    const auto kind = kind_of(row.text(0));
    const auto state = state_of(row.text(1));
    if (kind && state) counts.push_back({*kind, *state, row.number(2)});
  }
  return counts;
}

double JobQueue::longest_wait() {
  return execute("SELECT COALESCE(NOW-MIN(queued), 0.0) FROM job WHERE state='queued'").front().real(0);
}

std::vector<JobRow> JobQueue::changed_since(std::int64_t revision, std::int64_t limit) {
  return select("WHERE revision>$1 ORDER BY revision LIMIT $2", {SqlValue(revision), SqlValue(limit)});
}

std::int64_t JobQueue::revision() {
  return execute("SELECT revision FROM counter").front().number(0);
}

std::int64_t JobQueue::forgotten_revision() {
  const auto value = setting(kForgotten);
  return value ? std::stoll(*value) : 0;
}

void JobQueue::forget_removed(double seconds) {
  execute("DELETE FROM worker WHERE seen<NOW-$1", {SqlValue(seconds)});
  execute("DELETE FROM session WHERE created<NOW-$1", {SqlValue(kSessionSeconds)});
  Transaction transaction(*connection_);
  next_revision();
  const auto rows =
      execute("DELETE FROM job WHERE state='removed' AND finished<NOW-$1 RETURNING id, revision", {SqlValue(seconds)});
  if (rows.empty()) return;
  std::int64_t last = forgotten_revision();
  for (const SqlRow& row : rows) {
    execute("DELETE FROM idempotency WHERE job=$1", {SqlValue(row.text(0))});
    execute("DELETE FROM job_asset WHERE job=$1", {SqlValue(row.text(0))});
    last = std::max(last, row.number(1));
  }
  set_setting(kForgotten, std::to_string(last));
  transaction.commit();
}

std::optional<JobRow> JobQueue::change(const std::string& id, std::optional<std::int64_t> priority,
                                       const std::optional<std::string>& label) {
  return update("priority=COALESCE($3, priority), label=COALESCE($4, label)",
                "id=$2 AND state IN ('queued', 'running')", {SqlValue(id), sql_value(priority), sql_value(label)});
}

std::optional<JobRow> JobQueue::cancel(const std::string& id) {
  return update(
      "cancel_requested=CASE WHEN state='running' THEN CASE WHEN cancel_requested=0 THEN 1 ELSE cancel_requested END"
      " ELSE 0 END, finished=CASE WHEN state='queued' THEN NOW END,"
      " problem=CASE WHEN state='queued' THEN $3 END,"
      " state=CASE WHEN state='queued' THEN 'cancelled' ELSE state END",
      "id=$2 AND state IN ('queued', 'running')", {SqlValue(id), SqlValue(cancelled_problem())});
}

std::optional<JobRow> JobQueue::resume(const std::string& id, bool fresh) {
  return update(
      "state='queued', queued=NOW, place=$1, problem=NULL, finished=NULL, idle_attempts=0, cancel_requested=0,"
      " not_before=NULL, progress=NULL, released=NOW, device=CASE WHEN $3=1 THEN NULL ELSE device END,"
      " setup=CASE WHEN $3=1 THEN NULL ELSE setup END",
      "id=$2 AND state IN ('failed', 'cancelled')", {SqlValue(id), SqlValue(std::int64_t{fresh})});
}

std::optional<JobRow> JobQueue::remove(const std::string& id) {
  return update(
      "cancel_requested=CASE WHEN state='running' THEN $3 ELSE 0 END,"
      " finished=CASE WHEN state='running' THEN finished ELSE NOW END,"
      " state=CASE WHEN state='running' THEN state ELSE 'removed' END",
      "id=$2 AND state<>'removed' AND NOT EXISTS (SELECT 1 FROM job AS other WHERE other.poses_job=$2 AND"
      " other.state IN ('queued', 'running'))",
      {SqlValue(id), SqlValue(kRemoveRequested)});
}

std::vector<JobRow> JobQueue::removable_jobs(std::int64_t newest) {
  return select(fmt::format("WHERE {} ORDER BY finished, id", removable("$1")), {SqlValue(newest)});
}

std::optional<JobRow> JobQueue::remove_unneeded(const JobRow& seen) {
  return update("finished=NOW, state='removed'", fmt::format("id=$2 AND revision=$3 AND {}", kUnneeded),
                {SqlValue(seen.id), SqlValue(seen.revision)});
}

bool JobQueue::paused() {
  return setting(kPaused) == "1";
}

void JobQueue::set_paused(bool paused) {
  Transaction transaction(*connection_);
  set_setting(kPaused, paused ? "1" : "0");
  transaction.commit();
}

std::optional<std::string> JobQueue::setting(const std::string& name) {
  const auto rows = execute("SELECT value FROM setting WHERE name=$1", {SqlValue(name)});
  if (rows.empty()) return std::nullopt;
  return rows.front().text(0);
}

void JobQueue::set_setting(const std::string& name, const std::string& value) {
  execute("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value=excluded.value",
          {SqlValue(name), SqlValue(value)});
}

std::string JobQueue::setting_or(const std::string& name, const std::string& value) {
  execute("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
          {SqlValue(name), SqlValue(value)});
  return setting(name).value_or(value);
}

void JobQueue::add_notice(const std::string& text) {
  execute("INSERT INTO notice (created, text) VALUES (NOW, $1)", {SqlValue(text)});
  execute(
      "DELETE FROM notice WHERE created<(SELECT MIN(created) FROM (SELECT created FROM notice ORDER BY created DESC"
      " LIMIT $1) AS kept)",
      {SqlValue(kMostNotices)});
}

std::vector<Notice> JobQueue::notices() {
  std::vector<Notice> notices;
  for (const SqlRow& row : execute("SELECT created, text FROM notice ORDER BY created DESC")) {
    notices.push_back({row.real(0), row.text(1)});
  }
  return notices;
}

void JobQueue::open_session(const std::string& sha256) {
  execute("INSERT INTO session (sha256, created) VALUES ($1, NOW)", {SqlValue(sha256)});
}

void JobQueue::close_session(const std::string& sha256) {
  execute("DELETE FROM session WHERE sha256=$1", {SqlValue(sha256)});
}

bool JobQueue::has_session(const std::string& sha256) {
  return !execute("SELECT 1 FROM session WHERE sha256=$1 AND created>=NOW-$2",
                  {SqlValue(sha256), SqlValue(kSessionSeconds)})
              .empty();
}

// ---- for workers

std::optional<JobRow> JobQueue::claim(const std::string& lane, const std::string& worker, const std::string& device,
                                      const std::string& setup) {
  lose_expired();
  const std::string next = fmt::format(
      "SELECT id FROM job WHERE lane=$2 AND state='queued' AND COALESCE(not_before, 0)<=NOW AND"
      " NOT EXISTS (SELECT 1 FROM setting WHERE name='{}' AND value='1') AND"
      " (device IS NULL OR lane<>'video' OR (device=$3 AND COALESCE(setup, $4)=$4) OR (device LIKE $5 AND "
      "COALESCE(released, 0)<NOW-{} AND"
      " NOT EXISTS (SELECT 1 FROM worker AS other WHERE other.lane=job.lane AND other.seen>=NOW-{} AND"
      " other.device || ' ' || other.dtype=job.device AND COALESCE(other.setup, '')=COALESCE(job.setup, ''))))"
      " ORDER BY priority DESC, place LIMIT 1",
      kPaused, kPatienceSeconds, kLeaseSeconds);
  const std::string same_kind = device.substr(0, device.find(' ')) + " %";
  std::vector<SqlValue> chosen{SqlValue(lane), SqlValue(device), SqlValue(setup), SqlValue(same_kind)};
  // Most of the time there is none, and then nobody need wait for this.
  std::vector<SqlValue> looked{SqlValue(std::int64_t{0})};
  looked.insert(looked.end(), chosen.begin(), chosen.end());
  if (execute(next, looked).empty()) return std::nullopt;
  chosen.emplace_back(worker);
  return update(
      fmt::format("state='running', worker=$6, device=$3, setup=$4, attempt=attempt+1, idle_attempts=idle_attempts+1,"
                  " lease_until=NOW+{}, not_before=NULL, started=COALESCE(started, NOW)",
                  kLeaseSeconds),
      fmt::format("id=({})", next), std::move(chosen));
}

std::optional<bool> JobQueue::renew(const Claim& claim) {
  const auto rows = execute(fmt::format("UPDATE job SET lease_until=NOW+{} WHERE id=$1 AND attempt=$2 AND"
                                        " state='running' RETURNING cancel_requested",
                                        kLeaseSeconds),
                            {SqlValue(claim.job), SqlValue(claim.attempt)});
  if (rows.empty()) return std::nullopt;
  return rows.front().number(0) > 0;
}

bool JobQueue::report(const Claim& claim, const std::string& progress, bool saved) {
  return update_attempt("progress=$2, idle_attempts=CASE WHEN $3=1 THEN 0 ELSE idle_attempts END", claim,
                        {SqlValue(progress), SqlValue(std::int64_t{saved})}, Keeping::kUnlessItsMachineFails)
      .has_value();
}

std::optional<JobRow> JobQueue::complete(const Claim& claim, const std::string& result) {
  return update_attempt(
      "state=CASE WHEN cancel_requested=2 THEN 'removed' ELSE 'completed' END, result=$2, problem=NULL, finished=NOW,"
      " idle_attempts=0, cancel_requested=0, worker=NULL, lease_until=NULL",
      claim, {SqlValue(result)});
}

std::optional<JobRow> JobQueue::fail(const Claim& claim, const std::string& problem) {
  return update_attempt(
      "state=CASE WHEN cancel_requested=2 THEN 'removed' ELSE 'failed' END, problem=$2, finished=NOW,"
      " cancel_requested=0, worker=NULL, lease_until=NULL",
      claim, {SqlValue(problem)});
}

std::optional<JobRow> JobQueue::stop_cancelled(const Claim& claim) {
  return update_attempt(
      "state=CASE WHEN cancel_requested=2 THEN 'removed' ELSE 'cancelled' END, finished=NOW, cancel_requested=0,"
      " problem=$2, worker=NULL, lease_until=NULL",
      claim, {SqlValue(cancelled_problem())});
}

std::optional<JobRow> JobQueue::give_back(const Claim& claim, double not_before_seconds) {
  return update_attempt(
      "state=CASE WHEN cancel_requested=2 THEN 'removed' WHEN cancel_requested=1 THEN 'cancelled' ELSE 'queued' END,"
      " finished=CASE WHEN cancel_requested>0 THEN NOW END, released=NOW,"
      " problem=CASE WHEN cancel_requested=1 THEN $3 END, cancel_requested=0,"
      " idle_attempts=CASE WHEN idle_attempts>0 THEN idle_attempts-1 ELSE 0 END,"
      " not_before=CASE WHEN $2>0 THEN NOW+$2 END, worker=NULL, lease_until=NULL",
      claim, {SqlValue(not_before_seconds), SqlValue(cancelled_problem())});
}

std::optional<JobRow> JobQueue::lose(const Claim& claim, const std::optional<std::string>& problem) {
  return update_attempt(kLoseSet, claim, lose_parameters(problem));
}

int JobQueue::lose_all_of(const std::string& worker, const std::optional<std::string>& problem) {
  int lost = 0;
  for (const JobRow& job : select("WHERE state='running' AND worker=$1", {SqlValue(worker)})) {
    if (lose({job.id, job.attempt}, problem)) ++lost;
  }
  return lost;
}

int JobQueue::give_back_all_of(const std::string& worker) {
  int given = 0;
  for (const JobRow& job : select("WHERE state='running' AND worker=$1", {SqlValue(worker)})) {
    if (give_back({job.id, job.attempt})) ++given;
  }
  return given;
}

int JobQueue::lose_expired() {
  int lost = 0;
  for (const JobRow& job : select("WHERE state='running' AND lease_until<NOW", {})) {
    std::vector<SqlValue> parameters = lose_parameters(std::nullopt);
    parameters.emplace_back(job.id);
    parameters.emplace_back(job.attempt);
    if (update(kLoseSet, "id=$5 AND attempt=$6 AND state='running' AND lease_until<NOW", std::move(parameters))) ++lost;
  }
  return lost;
}

void JobQueue::see(const WorkerRow& worker) {
  execute(
      "INSERT INTO worker (id, lane, host, pid, device, dtype, job, usable_bytes, seen, setup, resident_bytes, gpu)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NOW, $9, $10, $11)"
      " ON CONFLICT (id) DO UPDATE SET lane=excluded.lane, host=excluded.host, pid=excluded.pid,"
      " device=excluded.device, dtype=excluded.dtype, job=excluded.job, usable_bytes=excluded.usable_bytes,"
      " seen=excluded.seen, setup=excluded.setup, resident_bytes=excluded.resident_bytes, gpu=excluded.gpu",
      {SqlValue(worker.id), SqlValue(worker.lane), SqlValue(worker.host), SqlValue(worker.pid), SqlValue(worker.device),
       SqlValue(worker.dtype), sql_value(worker.job), sql_value(worker.usable_bytes), SqlValue(worker.setup),
       SqlValue(worker.resident_bytes), SqlValue(worker.gpu)});
}

void JobQueue::forget_worker(const std::string& id) {
  execute("DELETE FROM worker WHERE id=$1", {SqlValue(id)});
}

std::vector<WorkerRow> JobQueue::workers(double seconds) {
  std::vector<WorkerRow> workers;
  for (const SqlRow& row : execute("SELECT id, lane, host, pid, device, dtype, job, usable_bytes, seen, setup,"
                                   " resident_bytes, gpu FROM worker WHERE seen>=NOW-$1 ORDER BY id",
                                   {SqlValue(seconds)})) {
    std::size_t column = 0;
    WorkerRow& worker = workers.emplace_back();
    worker.id = row.text(column++);
    worker.lane = row.text(column++);
    worker.host = row.text(column++);
    worker.pid = row.number(column++);
    worker.device = row.text(column++);
    worker.dtype = row.text(column++);
    worker.job = row.optional_text(column++);
    if (row.has(column)) worker.usable_bytes = row.number(column);
    ++column;
    worker.seen = row.real(column++);
    worker.setup = row.text(column++);
    worker.resident_bytes = row.number(column++);
    worker.gpu = row.text(column++);
  }
  return workers;
}

// ---- files

std::pair<AssetRow, bool> JobQueue::add_asset(const AssetRow& asset) {
  Transaction transaction(*connection_);
  const auto inserted = execute(
      fmt::format("INSERT INTO asset (id, sha256, bytes, type, name, created, used)"
                  " VALUES ($1, $2, $3, $4, $5, NOW, NOW) ON CONFLICT (sha256) DO NOTHING RETURNING {}",
                  kAssetColumns),
      {SqlValue(asset.id), SqlValue(asset.sha256), SqlValue(asset.bytes), SqlValue(asset.type), sql_value(asset.name)});
  const auto there = inserted.empty()
                         ? execute(fmt::format("UPDATE asset SET used=NOW WHERE sha256=$1 RETURNING {}", kAssetColumns),
                                   {SqlValue(asset.sha256)})
                         : inserted;
  transaction.commit();
  return {asset_of(there.at(0)), !inserted.empty()};
}

std::optional<AssetRow> JobQueue::find_asset(const std::string& id) {
  const auto rows = execute(fmt::format("SELECT {} FROM asset WHERE id=$1", kAssetColumns), {SqlValue(id)});
  if (rows.empty()) return std::nullopt;
  return asset_of(rows.front());
}

std::vector<AssetRow> JobQueue::assets_of(const std::string& job) {
  return assets_in(
      execute(fmt::format("SELECT {} FROM asset WHERE id IN (SELECT asset FROM job_asset WHERE job=$1) ORDER BY id",
                          kAssetColumns),
              {SqlValue(job)}));
}

bool JobQueue::remove_asset(const std::string& id, double last_use) {
  Transaction transaction(*connection_);
  const bool gone =
      !execute(
           "DELETE FROM asset WHERE id=$1 AND used<=$2 AND NOT EXISTS (SELECT 1 FROM job_asset JOIN job ON"
           " job.id=job_asset.job WHERE job_asset.asset=$1 AND job.state<>'removed') RETURNING id",
           {SqlValue(id), SqlValue(last_use)})
           .empty();
  transaction.commit();
  return gone;
}

std::vector<std::string> JobQueue::jobs_with(const std::string& asset) {
  std::vector<std::string> jobs;
  for (const SqlRow& row : execute("SELECT job.id FROM job_asset JOIN job ON job.id=job_asset.job"
                                   " WHERE job_asset.asset=$1 AND job.state<>'removed'",
                                   {SqlValue(asset)})) {
    jobs.push_back(row.text(0));
  }
  return jobs;
}

std::vector<AssetRow> JobQueue::unused_assets(double seconds) {
  return assets_in(execute(
      fmt::format("SELECT {} FROM asset WHERE used<NOW-$1 AND NOT EXISTS (SELECT 1 FROM job_asset JOIN job ON"
                  " job.id=job_asset.job WHERE job_asset.asset=asset.id AND job.state<>'removed') ORDER BY used, id",
                  kAssetColumns),
      {SqlValue(seconds)}));
}

void JobQueue::require_writable() {
  // Only what differs, and is committed, is written.
  Transaction transaction(*connection_, Keeping::kUnlessItsMachineFails);
  set_setting("written", random_id('w'));
  transaction.commit();
}

std::int64_t JobQueue::removable_asset_bytes(std::int64_t newest, double seconds) {
  return execute(
             fmt::format("SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM asset WHERE used<NOW-$1 AND NOT EXISTS"
                         " (SELECT 1 FROM job_asset JOIN job AS needing ON needing.id=job_asset.job WHERE"
                         " job_asset.asset=asset.id AND needing.state<>'removed' AND needing.id NOT IN (SELECT id"
                         " FROM job WHERE {}))",
                         removable("$2")),
             {SqlValue(seconds), SqlValue(newest)})
      .front()
      .number(0);
}

double JobQueue::now() {
  return execute("SELECT NOW").front().real(0);
}

}  // namespace unianimate::queue
