#include "unianimate/server/queue/job_problem.h"

#include <array>
#include <nlohmann/json.hpp>

namespace unianimate::queue {

using nlohmann::ordered_json;

namespace {

struct Row {
  std::string_view word;
  std::string_view advice;
};

constexpr std::array<Row, 8> kRows{{
    {"invalid-request", ""},
    {"input", ""},
    {"inputs-changed", "send the files again and make a new job"},
    {"disk-full", "make room on the server's disk and resume the job, which goes on from what is saved"},
    {"out-of-memory",
     "resume the job once there is more, and it goes on from what is saved, or make one that asks for less"},
    {"environment", "once that is mended, resume the job, which goes on from what is saved"},
    {"worker-lost", "the worker's log may tell more; resume the job, and it goes on from what is saved"},
    {"cancelled", "resume it, and it goes on from what is saved"},
}};

const Row& row_of(JobProblem problem) {
  return kRows.at(static_cast<std::size_t>(problem));
}

}  // namespace

std::string_view word(JobProblem problem) {
  return row_of(problem).word;
}

std::string problem_text(JobProblem problem, std::string_view what) {
  std::string detail(what);
  if (const std::string_view advice = row_of(problem).advice; !advice.empty()) detail.append("; ").append(advice);
  const ordered_json object{{"type", word(problem)}, {"detail", detail}};
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace unianimate::queue
