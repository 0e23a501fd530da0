// The whole interface over real sockets, with the queue and the data folder, and nobody who works.
#include "unianimate/server/api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <thread>

#include "server/api/apis.h"
#include "support/file_size_limit.h"
#include "support/temporary_folder.h"
#include "unianimate/fields/json_archive.h"
#include "unianimate/server/api/document.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/store_lock.h"
#include "unianimate/server/worker/job_request.h"
#include "unianimate/studio/align_fields.h"
#include "unianimate/studio/video_order_fields.h"

namespace unianimate::server {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// ---- the document

TEST_F(Apis, HaveEveryRouteInTheDocumentAndTheReverse) {
  std::set<std::string> routes;
  for (const http::Route& route : service_.router.routes()) routes.insert(route.method + " " + route.pattern);
  std::set<std::string> documented;
  for (const auto& [path, methods] : openapi_document().at("paths").items()) {
    for (auto [method, operation] : methods.items()) {
      std::string name = method;
      for (char& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
      documented.insert(name + " " + path);
      const bool open = operation.contains("security");
      for (const http::Route& route : service_.router.routes()) {
        if (route.method != name || route.pattern != path) continue;
        EXPECT_EQ(route.open, open) << path;
      }
    }
  }
  EXPECT_EQ(routes, documented);
  EXPECT_EQ(ask_json("GET", "/openapi.json"), openapi_document());
}

TEST(Document, TellsTheRangeOfEveryNumberOfAQuery) {
  int numbers = 0;
  for (const auto& [path, methods] : openapi_document().at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      for (const json& parameter : operation.value("parameters", json::array())) {
        if (parameter.at("schema").value("type", "") != "integer") continue;
        ++numbers;
        EXPECT_TRUE(parameter.at("schema").contains("minimum") && parameter.at("schema").contains("maximum"))
            << path << " " << parameter.at("name");
      }
    }
  }
  EXPECT_GE(numbers, 5);
}

/// Names that a struct's list of fields writes, sections as one.
template <typename T>
std::set<std::string> names_of(const T& settings, const fields::Filter& filter) {
  std::set<std::string> names;
  const nlohmann::ordered_json written = fields::write_json(settings, filter);
  for (const auto& [name, value] : written.items()) names.insert(name);
  return names;
}

std::set<std::string> property_names(const char* schema) {
  std::set<std::string> names;
  const json& properties = openapi_document().at("components").at("schemas").at(schema).at("properties");
  for (const auto& [name, value] : properties.items()) names.insert(name);
  return names;
}

TEST(Document, HasEverySettingOfTheListsOfFields) {
  std::set<std::string> settings = names_of(studio::VideoOrder(), settings_of_videos());
  settings.merge(names_of(worker::ModelChoice(), fields::all_fields()));
  EXPECT_EQ(property_names("AnimateSettings"), settings);
  EXPECT_EQ(property_names("AlignSettings"), names_of(studio::MotionOptions(), settings_of_motions()));
  for (const char* name : {"steps", "seed", "size", "context_size", "preset", "sampler", "chain", "audio"}) {
    EXPECT_EQ(property_names("AnimateSettings").count(name), 1U) << name;
  }
  for (const char* name : {"person", "start", "end", "speed", "alignment", "smooth"}) {
    EXPECT_EQ(property_names("AlignSettings").count(name), 1U) << name;
  }
}

// ---- assets

TEST_F(Apis, StoreFilesOnce) {
  const Answer first = ask("POST", "/api/v1/assets?name=me.jpg", kPicture, kToken);
  EXPECT_EQ(first.status, 201);
  const json asset = json::parse(first.body);
  EXPECT_EQ(asset.at("type"), "image/jpeg");
  EXPECT_EQ(asset.at("name"), "me.jpg");
  EXPECT_EQ(asset.at("bytes"), kPicture.size());
  const std::string place = first.headers.at("location");
  EXPECT_EQ(ask_json("GET", place), asset);
  const Answer second =
      ask("POST", "/api/v1/assets",
          "--b\r\nContent-Disposition: form-data; name=file; filename=\"../x\"\r\n\r\n" + kPicture + "\r\n--b--",
          std::string(kToken) + "Content-Type: multipart/form-data; boundary=b\r\n");
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(json::parse(second.body).at("id"), asset.at("id"));
  const Answer content = ask("GET", place + "/content", "", std::string(kToken) + "Range: bytes=0-1\r\n");
  EXPECT_EQ(content.status, 206);
  EXPECT_EQ(content.body, "\xff\xd8");
  EXPECT_EQ(content.headers.at("content-security-policy"), "sandbox");
  EXPECT_EQ(ask("DELETE", place, "", kToken).status, 204);
  EXPECT_EQ(problem_of(ask("GET", place)), "/problems/not-found");
}

TEST_F(Apis, RefuseFilesOfOtherKinds) {
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/assets", "#!/bin/sh", kToken)), "/problems/unsupported-type");
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/assets?name=" + std::string(300, 'x'), kPicture, kToken)),
            "/problems/invalid-request");
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/assets", "broken",
                           std::string(kToken) + "Content-Type: multipart/form-data; boundary=b\r\n")),
            "/problems/bad-request");
}

TEST_F(Apis, KeepFilesThatJobsNeed) {
  const json job = ask_json("GET", "/api/v1/jobs/" + make_job());
  const std::string asset = "/api/v1/assets/" + job.at("request").at("reference").get<std::string>();
  EXPECT_EQ(problem_of(ask("DELETE", asset, "", kToken)), "/problems/conflict");
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + job.at("id").get<std::string>(), "", kToken).status, 204);
  EXPECT_EQ(ask("DELETE", asset, "", kToken).status, 204);
}

TEST_F(Apis, TellWhoComesSecondThatAFileIsGone) {
  for (int round = 0; round < 20; ++round) {
    const std::string place = "/api/v1/assets/" + upload(kPicture);
    std::array<int, 2> statuses{};
    std::thread other([&] { statuses[1] = ask("DELETE", place, "", kToken).status; });
    statuses[0] = ask("DELETE", place, "", kToken).status;
    other.join();
    std::ranges::sort(statuses);
    EXPECT_THAT(statuses, ::testing::ElementsAre(204, 404));
  }
}

/// What the route of the method and path refuses it with; "" where it does not.
http::Problem refusal_of(const http::Router& router, http::Request request) {
  try {
    const http::Route& route = router.find(request);
    route.begin ? static_cast<void>(route.begin(request)) : static_cast<void>(route.handle(request));
  } catch (const http::Refused& refused) {
    return refused.problem();
  }
  return {};
}

http::Request post(const char* path, const std::string& body, std::size_t announced) {
  http::Request request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  request.headers = {{"Content-Length", std::to_string(announced)}};
  return request;
}

TEST(FullDisks, TakeNoFiles) {
  const unianimate::testing::TemporaryFolder folder;
  Api api(folder.path() / "data",
          {.version = "1", .retention = {.free_bytes = std::numeric_limits<std::uintmax_t>::max()}});
  http::Router router;
  add_asset_routes(router, api);
  EXPECT_EQ(refusal_of(router, post("/api/v1/assets", "", 1)).type, "quota-exceeded");
}

TEST(FullFolders, TakeNothingMore) {
  const unianimate::testing::TemporaryFolder folder;
  Api api(folder.path() / "data", {.version = "1", .retention = {.quota_bytes = 10'000'000, .free_bytes = 0}});
  http::Router router;
  add_asset_routes(router, api);
  add_job_routes(router, api);
  EXPECT_EQ(refusal_of(router, post("/api/v1/assets", "", 1'000'000)).status, 0);
  const http::Problem problem = refusal_of(router, post("/api/v1/assets", "", 20'000'000));
  EXPECT_EQ(problem.type, "quota-exceeded");
  EXPECT_EQ(problem.status, 507);
  EXPECT_THAT(problem.detail, ::testing::AllOf(HasSubstr("10 MB"), HasSubstr("--quota")));
  const std::string id = queue::random_id('a');
  const json body{{"kind", "animate"}, {"reference", id}, {"motion", id}};
  EXPECT_EQ(refusal_of(router, post("/api/v1/jobs", body.dump(), 0)).type, "invalid-request") << "there is no asset";
  api.sweeper().account().add_incoming(10'000'000);
  EXPECT_EQ(refusal_of(router, post("/api/v1/jobs", body.dump(), 0)).type, "quota-exceeded");
}

TEST_F(Apis, AreNotToBlameWhereTheDiskTakesNoMoreOfAFile) {
  const std::string content = kVideo + std::string(20'000'000, 'x');
  {
    const unianimate::testing::FileSizeLimit limit(10'000'000);
    const Answer answer = ask("POST", "/api/v1/assets", content, kToken);
    EXPECT_EQ(answer.status, 507);
    EXPECT_EQ(problem_of(answer), "/problems/quota-exceeded");
    EXPECT_THAT(answer.body, HasSubstr("the server's disk takes no more of the file"));
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr(folder_.path().string())));
  }
  EXPECT_EQ(ask("POST", "/api/v1/assets", content, kToken).status, 201);
}

// ---- databases that are out of reach

TEST(UnreachableQueues, AreNoFaultOfTheServer) {
  const unianimate::testing::TemporaryFolder folder;
  Api api(folder.path() / "data", {.version = "1", .models = folder.path() / "models", .retention = {.free_bytes = 0}});
  std::filesystem::remove_all(folder.path() / "data");
  http::Router router;
  add_job_routes(router, api);
  add_system_routes(router, api);
  http::Request list;
  list.method = "GET";
  list.path = "/api/v1/jobs";
  const http::Problem problem = refusal_of(router, list);
  EXPECT_EQ(problem.type, "not-ready");
  EXPECT_EQ(problem.status, 503);
  EXPECT_THAT(problem.detail, HasSubstr("cannot be reached"));
  EXPECT_THAT(problem.detail, ::testing::Not(HasSubstr(folder.path().string())));
  ASSERT_EQ(problem.headers.size(), 1U);
  EXPECT_EQ(problem.headers.front().name, "Retry-After");
  EXPECT_EQ(problem.headers.front().value, "5");
  http::Request ready;
  ready.method = "GET";
  ready.path = "/health/ready";
  const http::Response response = router.find(ready).handle(ready);
  EXPECT_EQ(response.status(), 503);
  EXPECT_THAT(response.text(), HasSubstr("cannot be reached"));
}

TEST(UnreachableQueues, AreToldFromFullOnes) {
  const unianimate::testing::TemporaryFolder folder;
  QueuePool pool({folder.path() / "server.db", ""});
  try {
    pool.with([](queue::JobQueue&) -> bool { throw queue::DatabaseFull("no room in {}", "a place"); });
    FAIL() << "nothing was refused";
  } catch (const http::Refused& refused) {
    EXPECT_EQ(refused.problem().type, "quota-exceeded");
    EXPECT_EQ(refused.problem().status, 507);
    EXPECT_THAT(refused.problem().detail, ::testing::Not(HasSubstr("a place")));
  }
}

TEST(UnreachableQueues, AreNotTriedAgainAtOnce) {
  const unianimate::testing::TemporaryFolder folder;
  const auto ask = [](QueuePool& pool) { return pool.with([](queue::JobQueue& queue) { return queue.revision(); }); };
  const std::filesystem::path file = folder.path() / "later" / "server.db";
  QueuePool patient({file, ""}, std::chrono::hours(1));
  QueuePool hasty({file, ""}, std::chrono::milliseconds(0));
  EXPECT_THROW(ask(patient), http::Refused);
  EXPECT_THROW(ask(hasty), http::Refused);
  std::filesystem::create_directory(file.parent_path());
  EXPECT_THROW(ask(patient), http::Refused);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(ask(hasty), 0);
}

/// Takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address_), size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address_), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
  }
  ~SilentServer() { ::close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  [[nodiscard]] int accept() const { return ::accept(socket_, nullptr, nullptr); }
  [[nodiscard]] std::string url() const {
    return fmt::format("postgresql://x@127.0.0.1:{}/x?sslmode=disable&gssencmode=disable", ntohs(address_.sin_port));
  }

 private:
  int socket_;
  sockaddr_in address_{};
};

TEST(UnreachableQueues, AreTriedByOneThreadAtATime) {
  const SilentServer server;
  try {
    queue::postgres_name(server.url());
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const unianimate::testing::TemporaryFolder folder;
  QueuePool pool({folder.path() / "server.db", server.url()}, std::chrono::milliseconds(0));
  const auto refusal = [&] {
    try {
      pool.with([](queue::JobQueue& queue) { return queue.revision(); });
    } catch (const http::Refused& refused) {
      EXPECT_EQ(refused.problem().type, "not-ready");
      return refused.cause();
    }
    return std::string("nothing was refused");
  };
  const auto try_in_vain = [&](const std::function<void()>& meanwhile) {
    std::thread thread([&] { EXPECT_THAT(refusal(), HasSubstr("cannot be reached")); });
    const int connection = server.accept();
    meanwhile();
    ::close(connection);
    thread.join();
  };
  try_in_vain([] {});
  try_in_vain([&] { EXPECT_THAT(refusal(), HasSubstr("is not tried yet")); });
}

TEST(QueuePools, TellOfFilesThatAreInUseWithoutSayingWhere) {
  const unianimate::testing::TemporaryFolder folder;
  QueuePool pool({folder.path() / "server.db", ""});
  try {
    pool.with([](queue::JobQueue&) -> bool { throw store::StoreBusy("{} is held", "a place"); });
    FAIL() << "nothing was refused";
  } catch (const http::Refused& refused) {
    EXPECT_EQ(refused.problem().status, 503);
    EXPECT_EQ(refused.problem().detail,
              "the server's files are in use at the moment; nothing is lost, ask again later");
    EXPECT_EQ(refused.cause(), "a place is held");
    ASSERT_EQ(refused.problem().headers.size(), 1);
    EXPECT_EQ(refused.problem().headers.front().name, "Retry-After");
  }
}

TEST(QueuePools, KeepAConnectionWhoseRequestWasRefused) {
  const unianimate::testing::TemporaryFolder folder;
  QueuePool pool({folder.path() / "server.db", ""});
  queue::JobQueue other(queue::open_sqlite(folder.path() / "server.db"));
  // A new connection has seen what others did before it came.
  const auto has_heard = [&] {
    return pool.with([](queue::JobQueue& queue) { return queue.wait_for_change(std::chrono::milliseconds(0)); });
  };
  has_heard();
  other.set_paused(true);
  EXPECT_THROW(pool.with([](queue::JobQueue&) -> bool { throw http::Refused(http::problems::kConflict, "it is so"); }),
               http::Refused);
  EXPECT_THROW(pool.with([](queue::JobQueue& queue) { return queue.find("\xff").has_value(); }), http::Refused);
  EXPECT_TRUE(has_heard());
  other.set_paused(false);
  EXPECT_THROW(pool.with([](queue::JobQueue&) -> bool { throw queue::DatabaseUnavailable("it is {}", "gone"); }),
               http::Refused);
  EXPECT_FALSE(has_heard());
}

// ---- the rest

TEST_F(Apis, PauseTheQueue) {
  EXPECT_EQ(ask_json("GET", "/api/v1/queue").at("paused"), false);
  EXPECT_EQ(ask_json("PATCH", "/api/v1/queue", R"({"paused":true})").at("paused"), true);
  EXPECT_TRUE(with_queue([](queue::JobQueue& queue) { return queue.paused(); }));
  EXPECT_EQ(problem_of(ask("PATCH", "/api/v1/queue", R"({"paused":1})")), "/problems/invalid-request");
  EXPECT_TRUE(ask_json("GET", "/api/v1/queue").at("notices").empty());
  with_queue([](queue::JobQueue& queue) {
    queue.add_notice("much is gone");
    return true;
  });
  EXPECT_EQ(ask_json("GET", "/api/v1/queue").at("notices").at(0).at("text"), "much is gone");
}

TEST_F(Apis, TellEventsAsThingsAre) {
  const std::string id = make_job();
  Client client(listener_.port());
  client.send(http::testing::request_text("GET", "/api/v1/events", kToken));
  EXPECT_THAT(client.read_until("event: job"), HasSubstr("200 OK"));
  EXPECT_THAT(client.read_until("event: queue"), HasSubstr(id));
  const Answer removed = ask("DELETE", "/api/v1/jobs/" + id, "", kToken);
  EXPECT_EQ(removed.status, 204);
  listener_.changed();
  EXPECT_THAT(client.read_until("event: removed\n"), HasSubstr("data"));
  EXPECT_THAT(client.read_until("\n\n"), HasSubstr(id));
  // A client that comes back with what nobody has told it begins anew.
  Client other(listener_.port());
  other.send(http::testing::request_text("GET", "/api/v1/events", std::string(kToken) + "Last-Event-ID: 999999\r\n"));
  other.read_until("event: reset");
}

TEST_F(Apis, TellEverythingAnewOnceWhereWhatWasRemovedIsForgotten) {
  const std::string first = make_job();
  const std::string second = make_job();
  const std::string third = make_job();
  const json listed = ask_json("GET", "/api/v1/jobs");
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + third, "", kToken).status, 204);
  with_queue([](queue::JobQueue& queue) {
    queue.forget_removed(-1);
    return true;
  });
  const auto follow = [&](Client& client, const std::string& since) {
    client.send(http::testing::request_text("GET", "/api/v1/events?since=" + since, kToken));
    std::string told = client.read_until("event: queue");
    return told + client.read_until("\n\n");
  };
  Client client(listener_.port());
  std::string told = follow(client, listed.at("revision").dump());
  // Jobs, but not the rest of the queue, are changed.
  EXPECT_EQ(ask("PATCH", "/api/v1/jobs/" + second, R"({"priority":3})", std::string(kToken) + kJson).status, 200);
  listener_.changed();
  told += client.read_until("\"priority\":3");
  const auto times = [](const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(times(told, "event: reset"), 1);
  EXPECT_THAT(told, HasSubstr(first));
  EXPECT_THAT(told, ::testing::Not(HasSubstr(third)));
  // By what the page knows now, or comes back with, nothing is missed.
  const std::string id = told.substr(told.rfind("id: ", told.find("event: queue") + 40) + 4);
  for (const std::string& since :
       {ask_json("GET", "/api/v1/jobs").at("revision").dump(), id.substr(0, id.find('\n'))}) {
    Client later(listener_.port());
    EXPECT_EQ(times(follow(later, since), "event: reset"), 0) << since;
  }
}

TEST_F(Apis, TradeTheTokenForACookie) {
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/session", R"({"token":"wrong"})", kJson)), "/problems/unauthorized");
  const Answer answer = ask("POST", "/api/v1/session", R"({"token":"token"})", kJson);
  ASSERT_EQ(answer.status, 204);
  const std::string set = answer.headers.at("set-cookie");
  EXPECT_THAT(set, HasSubstr("; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000"));
  const std::string cookie = "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
  EXPECT_EQ(ask("GET", "/api/v1/queue", "", cookie).status, 200);
  const std::string value = set.substr(set.find('=') + 1, set.find(';') - set.find('=') - 1);
  EXPECT_TRUE(api_.is_session(value, "token"));
  EXPECT_FALSE(api_.is_session(value, "another token"));
  EXPECT_EQ(problem_of(ask("DELETE", "/api/v1/session", "", cookie)), "/problems/cross-origin");
  EXPECT_EQ(ask("DELETE", "/api/v1/session", "", cookie + "Sec-Fetch-Site: same-origin\r\n").status, 204);
  EXPECT_EQ(problem_of(ask("GET", "/api/v1/queue", "", cookie)), "/problems/unauthorized");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path() / "data")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(content.find(set.substr(set.find('=') + 1, 20)), std::string::npos) << entry.path();
  }
}

TEST_F(Apis, TellHealthAndMeasures) {
  EXPECT_EQ(ask("GET", "/health/live", "", "").status, 200);
  const Answer ready = ask("GET", "/health/ready", "", "");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("a worker for video"));
  with_queue([](queue::JobQueue& queue) {
    for (const char* lane : {"pose", "video"}) {
      queue::WorkerRow worker;
      worker.id = worker.lane = lane;
      queue.see(worker);
    }
    return true;
  });
  EXPECT_EQ(ask("GET", "/health/ready", "", "").status, 200);
  make_job();
  const std::string text = ask("GET", "/metrics").body;
  EXPECT_THAT(text, HasSubstr("unianimate_jobs{kind=\"animate\",state=\"queued\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE unianimate_http_request_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("unianimate_build_info{version=\"1.2\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("unianimate_worker_resident_bytes{worker=\"pose\",lane=\"pose\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE unianimate_queue_oldest_seconds gauge\nunianimate_queue_oldest_seconds "));
  EXPECT_THAT(text, HasSubstr("unianimate_disk_bytes{kind=\"assets\"} 34\n"));
  EXPECT_THAT(text, HasSubstr("unianimate_step_seconds_count 0\n"));
}

TEST_F(Apis, TellWhatMayBeChosen) {
  const auto models = folder_.path() / "models";
  std::filesystem::create_directories(models / "loras");
  for (const char* file : {"unianimate_16f_32f_non_ema_223000.safetensors", "loras/style.safetensors",
                           "loras/light.safetensors", "loras/readme.txt"}) {
    std::ofstream(models / file) << "weights";
  }
  std::ofstream(models / "model.json") << R"({"defaults":{"steps":7,"width":64,"height":128}})";
  const json system = ask_json("GET", "/api/v1/system");
  EXPECT_EQ(system.at("version"), "1.2");
  ASSERT_EQ(system.at("models").size(), 2U) << system.at("models");
  const json& own = system.at("models").at(0);
  EXPECT_EQ(own.at("name"), "models");
  EXPECT_EQ(own.at("family"), "unianimate");
  EXPECT_EQ(own.at("defaults").at("steps"), 7);
  EXPECT_EQ(own.at("defaults").at("size"), "64x128");
  EXPECT_EQ(own.at("defaults").count("reference"), 0U);
  EXPECT_EQ(system.at("models").at(1).at("name"), "embedded");
  const json& settings = system.at("settings").at("properties");
  EXPECT_EQ(settings.at("model").at("enum"), json({"models", "embedded"}));
  EXPECT_EQ(system.at("loras"), json({"light", "style"}));
  EXPECT_EQ(settings.at("loras").at("items").at("properties").at("name").at("enum"), system.at("loras"));
  EXPECT_EQ(system.at("format").at("default"), "mp4");
  EXPECT_TRUE(system.at("devices").empty());
}

}  // namespace
}  // namespace unianimate::server
