// Jobs over the interface: what is taken, refused, told, changed and given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/api/apis.h"
#include "unianimate/core/folder_lock.h"
#include "unianimate/server/worker/job_request.h"

namespace unianimate::server {
namespace {

using ::testing::HasSubstr;

TEST_F(Apis, MakeJobs) {
  json body = json::parse(animation());
  body["label"] = "duo";
  body["priority"] = 5;
  body["settings"] = {{"steps", 4}};
  body["align"] = {{"person", "left"}};
  const Answer answer = ask("POST", "/api/v1/jobs", body.dump());
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json job = json::parse(answer.body);
  EXPECT_EQ(answer.headers.at("location"), "/api/v1/jobs/" + job.at("id").get<std::string>());
  EXPECT_EQ(job.at("kind"), "animate");
  EXPECT_EQ(job.at("state"), "queued");
  EXPECT_EQ(job.at("label"), "duo");
  EXPECT_EQ(job.at("priority"), 5);
  EXPECT_EQ(job.at("position"), 1);
  EXPECT_EQ(job.at("request").at("settings"), body.at("settings"));
  EXPECT_EQ(job.at("progress"), nullptr);
  EXPECT_EQ(ask_json("GET", answer.headers.at("location")), job);
}

TEST_F(Apis, GiveWorkersWhatTheyReadAndClientsWhatTheySaid) {
  json body = json::parse(animation());
  body["settings"] = {{"steps", 4}, {"size", "64x128"}, {"preview_every", 5}, {"frames", nullptr}};
  body["align"] = {{"person", "left"}, {"start", 1.5}};
  body["format"] = "webm";
  const json job = ask_json("POST", "/api/v1/jobs", body.dump(), 201);
  for (const char* part : {"reference", "motion", "settings", "align", "format"}) {
    EXPECT_EQ(job.at("request").at(part), body.at(part)) << part;
  }
  const auto row = with_queue([&](queue::JobQueue& queue) { return *queue.find(job.at("id")); });
  static const family::AnimateRequest kDefaults;
  const worker::VideoAsked asked =
      worker::read_video_request(row.request, kDefaults, [](const std::string& id) { return "/files/" + id; });
  EXPECT_EQ(asked.format, worker::ResultFormat::kWebm);
  EXPECT_EQ(asked.order.job.request.sampling.steps, 4);
  EXPECT_EQ(asked.order.motion_options.start_seconds, 1.5);
  EXPECT_EQ(asked.order.motion, "/files/" + body.at("motion").get<std::string>());
}

TEST(Requests, OfTheCommandLineAreShownAsBodiesHaveThem) {
  const json shown = worker::shown_request(
      worker::request_text({{"reference", "a1"}, {"poses", "a2"}, {"steps", 3}, {"person", "left"}, {"save_every", 2}},
                           {worker::ResultFormat::kGif}));
  const json expected{{"reference", "a1"},
                      {"poses", "a2"},
                      {"align", {{"person", "left"}}},
                      {"settings", {{"steps", 3}, {"save_every", 2}}},
                      {"format", "gif"}};
  EXPECT_EQ(shown, expected);
  for (const char* none : {"", "{", "[]", "{}", R"({"order":[]})"})
    EXPECT_EQ(worker::shown_request(none), nullptr) << none;
}

TEST_F(Apis, RefuseJobsThatCannotBe) {
  const auto problem = [&](const char* pointer, const char* value) {
    json body = json::parse(animation());
    body[json::json_pointer(pointer)] = json::parse(value);
    const json found = ask_json("POST", "/api/v1/jobs", body.dump(), 422);
    return found.at("errors").at(0).at("pointer").get<std::string>();
  };
  EXPECT_EQ(problem("/kind", "\"dance\""), "/kind");
  EXPECT_EQ(problem("/reference", "\"a00000000000000000000\""), "/reference");
  EXPECT_EQ(problem("/reference", json(upload(kVideo)).dump().c_str()), "/reference");
  EXPECT_EQ(problem("/motion", "\"../../etc\""), "/motion");
  EXPECT_EQ(problem("/settings", "{\"steps\":0}"), "/settings/steps");
  EXPECT_EQ(problem("/settings", "{\"sampler\":\"odd\"}"), "/settings/sampler");
  EXPECT_EQ(problem("/align", "{\"person\":\"the second\"}"), "/align/person");
  EXPECT_EQ(problem("/priority", "101"), "/priority");
  EXPECT_EQ(problem("/format", "\"exe\""), "/format");
  EXPECT_EQ(problem("/label", R"("a\u0000b")"), "/label");
  json odd = json::parse(animation());
  odd["settings"] = {{"size", "wide"}};
  EXPECT_THAT(ask_json("POST", "/api/v1/jobs", odd.dump(), 422).at("detail").get<std::string>(), HasSubstr("size"));
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/jobs", "{")), "/problems/invalid-json");
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/jobs", "{}", kToken)), "/problems/unsupported-type");
}

TEST_F(Apis, RefuseSettingsThatHaveNoEffect) {
  const auto refusal = [&](const char* kind, const json& settings, const json& align) {
    json body = json::parse(animation());
    body["kind"] = kind;
    if (!settings.is_null()) body["settings"] = settings;
    if (!align.is_null()) body["align"] = align;
    const json found = ask_json("POST", "/api/v1/jobs", body.dump(), 422);
    return found.at("errors").at(0).at("pointer").get<std::string>() + ": " + found.at("detail").get<std::string>();
  };
  EXPECT_THAT(refusal("animate", {{"steps", 4}, {"timesteps", "900,500,100"}}, {}),
              ::testing::StartsWith("/settings/steps: steps: it has no effect with a list of --timesteps"));
  EXPECT_THAT(refusal("animate", {{"preview_decoded", true}}, {}), HasSubstr("/settings/preview_decoded: "));
  const json unused{{"alignment", "published"}, {"max_stretch", 1.5}};
  EXPECT_THAT(refusal("plan", {}, unused), HasSubstr("/align/max_stretch: "));
  EXPECT_THAT(refusal("align", {}, unused), HasSubstr("/align/max_stretch: "));
  json body = json::parse(animation());
  body["settings"] = {{"steps", nullptr}, {"preview_every", 2}, {"preview_decoded", true}};
  body["settings"].erase("steps");
  EXPECT_EQ(ask("POST", "/api/v1/jobs", body.dump()).status, 201);
  // Poses as numbers are fitted, as a motion is.
  body = {{"kind", "animate"}, {"reference", upload(kPicture)}, {"poses", upload("{}")}, {"align", {{"start", 1}}}};
  EXPECT_EQ(ask("POST", "/api/v1/jobs", body.dump()).status, 201);
}

TEST_F(Apis, RefuseSettingsThatDoNotGoTogether) {
  make_model("usual");
  make_model("unguided");
  std::ofstream(folder_.path() / "models/unguided/model.json") << R"({"defaults": {"guidance_scale": 1}})";
  const auto refusal = [&](const char* kind, const json& settings) {
    json body = json::parse(animation());
    body["kind"] = kind;
    body["settings"] = settings;
    const json found = ask_json("POST", "/api/v1/jobs", body.dump(), 422);
    EXPECT_EQ(found.at("type"), "/problems/invalid-request");
    return found.at("errors").at(0).at("pointer").get<std::string>() + ": " + found.at("detail").get<std::string>();
  };
  EXPECT_THAT(refusal("animate", {{"preset", "draft"}, {"sampler", "lcm"}}),
              HasSubstr("/settings/preset: preset draft does not go with the sampler lcm"));
  const json guessed{{"extrapolate", true}, {"guidance_every", 2}, {"guidance_scale", 2}, {"steps", 8}};
  for (const char* kind : {"animate", "plan"}) {
    EXPECT_THAT(refusal(kind, guessed), HasSubstr("/settings/extrapolate: extrapolate does not go with")) << kind;
  }
  const json timesteps{{"timesteps", "949-940"}, {"steps", 30}};
  EXPECT_THAT(refusal("animate", timesteps), HasSubstr("/settings/timesteps: the timesteps 949-940 are 10 at most"));
  EXPECT_THAT(refusal("animate", {{"model", "unguided"}, {"guidance_every", 2}}),
              HasSubstr("/settings/guidance_every: guidance_every has no effect with guidance_scale 1"));
  EXPECT_TRUE(ask_json("GET", "/api/v1/jobs").at("jobs").empty());
  json body = json::parse(animation());
  body["settings"] = {{"model", "usual"}, {"guidance_every", 2}};
  EXPECT_EQ(ask("POST", "/api/v1/jobs", body.dump()).status, 201);
}

TEST_F(Apis, KnowTheModelsOfAJobBeforeItWaits) {
  const auto models = folder_.path() / "models";
  for (const char* name : {"first", "second"}) {
    std::filesystem::create_directories(models / name);
    std::ofstream(models / name / "unianimate_16f_32f_non_ema_223000.safetensors") << "weights";
  }
  std::filesystem::create_directories(models / "loras");
  std::ofstream(models / "loras/style.safetensors") << "weights";
  const auto refusal = [&](const json& settings) {
    json body = json::parse(animation());
    body["settings"] = settings;
    const json found = ask_json("POST", "/api/v1/jobs", body.dump(), 422);
    return found.at("errors").at(0).at("pointer").get<std::string>() + ": " + found.at("detail").get<std::string>();
  };
  EXPECT_THAT(refusal({{"model", "third"}}), HasSubstr("/settings/model: the server has no model third: it has first"));
  const json style{{"name", "style"}, {"scale", 1}};
  const json odd{{"name", "../style"}, {"scale", 1}};
  EXPECT_THAT(refusal({{"loras", {style, odd}}}), HasSubstr("/settings/loras/1/name: the server has no LoRA ../style"));
  EXPECT_THAT(refusal({{"loras", std::vector<json>(17, style)}}), HasSubstr("/settings/loras: "));
  json body = json::parse(animation());
  body["settings"] = {{"loras", {style}}};
  const json job = ask_json("POST", "/api/v1/jobs", body.dump(), 201);
  EXPECT_EQ(job.at("request").at("settings").at("model"), "first") << "whatever comes before it later";
  const auto row = with_queue([&](queue::JobQueue& queue) { return *queue.find(job.at("id")); });
  EXPECT_EQ(worker::read_row_options(row.request).models.model, "first");
  body["kind"] = "align";
  body.erase("settings");
  EXPECT_EQ(ask_json("POST", "/api/v1/jobs", body.dump(), 201).at("request").count("settings"), 0U);
}

TEST_F(Apis, TakeThePosesOfAJobThatWasLookedAt) {
  json align = json::parse(animation());
  align["kind"] = "align";
  align["align"] = {{"person", "left"}, {"start", 1.5}};
  const std::string id = ask_json("POST", "/api/v1/jobs", align.dump(), 201).at("id");
  const json body{{"kind", "animate"}, {"reference", align.at("reference")}, {"poses", id}};
  const auto refusal = [&](const json& wrong) {
    const json found = ask_json("POST", "/api/v1/jobs", wrong.dump(), 422);
    return found.at("errors").at(0).at("pointer").get<std::string>() + ": " + found.at("detail").get<std::string>();
  };
  EXPECT_THAT(refusal(body), HasSubstr("/poses: the job " + id + " is queued"));
  with_queue([&](queue::JobQueue& queue) {
    const auto job = queue.claim("pose", "w", "cpu fp32");
    return queue.complete({id, job->attempt}, "{}").has_value();
  });
  const json job = ask_json("POST", "/api/v1/jobs", body.dump(), 201);
  EXPECT_EQ(job.at("poses_job"), id);
  EXPECT_EQ(job.at("request").at("align"), align.at("align")) << "so that it can be asked for again without the poses";
  EXPECT_EQ(job.at("request").at("motion"), align.at("motion"));
  EXPECT_EQ(problem_of(ask("DELETE", "/api/v1/jobs/" + id, "", kToken)), "/problems/conflict");
  json wrong = body;
  wrong["align"] = {{"person", "right"}};
  EXPECT_THAT(refusal(wrong), HasSubstr("/align: "));
  wrong = body;
  wrong["motion"] = align.at("motion");
  EXPECT_THAT(refusal(wrong), HasSubstr("/poses: give either"));
  wrong = body;
  wrong.erase("poses");
  EXPECT_THAT(refusal(wrong), HasSubstr("/motion: give either"));
  wrong = body;
  wrong["poses"] = job.at("id");
  EXPECT_THAT(refusal(wrong), HasSubstr("/poses: " + job.at("id").get<std::string>() + " is no align job"));
  wrong["poses"] = align.at("motion");
  EXPECT_THAT(refusal(wrong), HasSubstr("/poses: poses is video/mp4"));
  wrong["poses"] = "../poses";
  EXPECT_THAT(refusal(wrong), HasSubstr("/poses: "));
  // As if somebody had been quicker.
  const auto database = queue::open_sqlite(api_.folder().database());
  const std::string motion = align.at("motion");
  database->execute("UPDATE asset SET id='gone' WHERE id=$1", {queue::SqlValue(motion)});
  EXPECT_THAT(ask_json("POST", "/api/v1/jobs", body.dump(), 422).at("detail").get<std::string>(),
              HasSubstr("there is no " + motion));
  database->execute("UPDATE asset SET id=$1 WHERE id='gone'", {queue::SqlValue(motion)});
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + job.at("id").get<std::string>(), "", kToken).status, 204);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/" + id, "", kToken).status, 204);
}

TEST_F(Apis, TakeFilesOfPoses) {
  const json body{{"kind", "animate"}, {"reference", upload(kPicture)}, {"poses", upload("{\"people\":[]}")}};
  const json job = ask_json("POST", "/api/v1/jobs", body.dump(), 201);
  EXPECT_EQ(job.at("request").at("poses"), body.at("poses"));
  EXPECT_EQ(job.at("poses_job"), nullptr);
  EXPECT_EQ(problem_of(ask("DELETE", "/api/v1/assets/" + body.at("poses").get<std::string>())), "/problems/conflict");
}

TEST_F(Apis, PlanWhatCouldBeMade) {
  for (const char* file :
       {"models/other/unianimate_16f_32f_non_ema_223000.safetensors", "models/loras/style.safetensors"}) {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    std::ofstream(folder_.path() / file) << "weights";
  }
  json body = json::parse(animation());
  body["kind"] = "plan";
  body["settings"] = {{"model", "other"}, {"loras", {{{"name", "style"}, {"scale", 0.8}}}}, {"steps", 3}};
  const json job = ask_json("POST", "/api/v1/jobs", body.dump(), 201);
  EXPECT_EQ(job.at("kind"), "plan");
  EXPECT_EQ(job.at("request").at("settings"), body.at("settings"));
  const auto row = with_queue([&](queue::JobQueue& queue) { return *queue.find(job.at("id")); });
  EXPECT_EQ(row.lane, "pose");
  const worker::ModelChoice models{"other", {{"style", 0.8}}};
  EXPECT_EQ(worker::read_row_options(row.request).models, models);
}

TEST_F(Apis, MakeOneJobOfOneKey) {
  const std::string body = animation();
  const std::string headers = std::string(kToken) + kJson + "Idempotency-Key: k1\r\n";
  const Answer first = ask("POST", "/api/v1/jobs", body, headers);
  EXPECT_EQ(first.status, 201);
  const Answer second = ask("POST", "/api/v1/jobs", body, headers);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(json::parse(second.body).at("id"), json::parse(first.body).at("id"));
  json other = json::parse(body);
  other["label"] = "other";
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/jobs", other.dump(), headers)), "/problems/conflict");
}

TEST_F(Apis, LetNoMoreThanTheLimitWait) {
  for (int i = 0; i < 3; ++i) make_job();
  const Answer answer = ask("POST", "/api/v1/jobs", animation());
  EXPECT_EQ(problem_of(answer), "/problems/too-many");
  EXPECT_THAT(answer.body, HasSubstr("--max-queue"));
  const std::string with_key = std::string(kToken) + kJson + "Idempotency-Key: new\r\n";
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/jobs", animation(), with_key)), "/problems/too-many");
}

TEST_F(Apis, AskOfTextsNoMoreThanTheyCanBe) {
  const std::string digits(900'000, '1');
  json body = json::parse(animation());
  body["align"] = {{"motion_size", digits}};
  EXPECT_EQ(problem_of(ask("POST", "/api/v1/jobs", body.dump())), "/problems/invalid-request");
}

TEST_F(Apis, ListJobs) {
  const std::string first = make_job();
  const std::string second = make_job();
  json page = ask_json("GET", "/api/v1/jobs?limit=1");
  EXPECT_EQ(page.at("jobs").at(0).at("id"), second);
  page = ask_json("GET", "/api/v1/jobs?limit=1&before=" + page.at("next").get<std::string>());
  EXPECT_EQ(page.at("jobs").at(0).at("id"), first);
  EXPECT_EQ(page.at("next"), nullptr);
  EXPECT_TRUE(ask_json("GET", "/api/v1/jobs?state=running").at("jobs").empty());
  EXPECT_EQ(ask_json("GET", "/api/v1/jobs?kind=animate&state=queued").at("jobs").size(), 2U);
  for (const char* query : {"state=odd", "kind=dance", "limit=0", "limit=x"}) {
    EXPECT_EQ(problem_of(ask("GET", std::string("/api/v1/jobs?") + query)), "/problems/invalid-request") << query;
  }
}

TEST_F(Apis, ChangeCancelResumeAndRemoveJobs) {
  const std::string place = "/api/v1/jobs/" + make_job();
  EXPECT_EQ(ask_json("PATCH", place, R"({"priority":7})").at("priority"), 7);
  EXPECT_EQ(problem_of(ask("PATCH", place, "{}")), "/problems/invalid-request");
  EXPECT_EQ(ask_json("POST", place + "/cancel", "", 202).at("state"), "cancelled");
  EXPECT_EQ(problem_of(ask("POST", place + "/cancel", "")), "/problems/conflict");
  EXPECT_EQ(problem_of(ask("PATCH", place, R"({"label":"x"})")), "/problems/conflict");
  EXPECT_EQ(ask_json("POST", place + "/resume", R"({"fresh":true})", 202).at("state"), "queued");
  EXPECT_EQ(problem_of(ask("POST", place + "/resume", "{}")), "/problems/conflict");
  EXPECT_EQ(ask_json("POST", place + "/cancel", "", 202).at("state"), "cancelled");
  {
    const FolderLock held(api_.folder().job(place.substr(place.rfind('/') + 1)), "worker");
    EXPECT_THAT(ask("POST", place + "/resume", R"({"fresh":true})").body, HasSubstr("has not let go of it"));
  }
  EXPECT_EQ(ask("DELETE", place, "", kToken).status, 204);
  EXPECT_EQ(problem_of(ask("GET", place)), "/problems/not-found");
}

TEST_F(Apis, TellTheNextRevisionOfAJob) {
  const std::string id = make_job();
  const json job = ask_json("GET", "/api/v1/jobs/" + id);
  EXPECT_EQ(ask_json("GET", "/api/v1/jobs/" + id + "?wait=60&revision=0"), job);
  Client client(listener_.port());
  client.send(http::testing::request_text(
      "GET", "/api/v1/jobs/" + id + "?wait=60&revision=" + job.at("revision").dump(), kToken));
  with_queue([&](queue::JobQueue& queue) { return queue.cancel(id).has_value(); });
  listener_.changed();
  EXPECT_EQ(json::parse(client.read_answer().body).at("state"), "cancelled");
}

TEST_F(Apis, GiveWhatJobsHaveMade) {
  const std::string id = make_job();
  const std::string place = "/api/v1/jobs/" + id;
  for (const char* file : {"/video", "/preview", "/poses/contact_sheet.png", "/poses/..%2F..%2Ftoken"}) {
    EXPECT_EQ(problem_of(ask("GET", place + file)), "/problems/not-found") << file;
  }
  with_queue([&](queue::JobQueue& queue) {
    const auto job = queue.claim("video", "w", "cpu fp32");
    std::filesystem::create_directories(api_.folder().job(id));
    std::ofstream(api_.folder().result(id, job->attempt, ".mp4")) << "a video";
    return queue.complete({id, job->attempt}, R"({"frames":3})").has_value();
  });
  EXPECT_EQ(ask_json("GET", place).at("result").at("frames"), 3);
  const Answer video = ask("GET", place + "/video");
  EXPECT_EQ(video.body, "a video");
  EXPECT_EQ(video.headers.at("content-type"), "video/mp4");
}

}  // namespace
}  // namespace unianimate::server
