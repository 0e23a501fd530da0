// Videos in the shape of OpenAI's videos API.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/api/apis.h"

namespace unianimate::server {
namespace {

using nlohmann::json;

using Parts = std::vector<std::pair<std::string, std::string>>;

/// "motion" is a field, "motion=dance.mp4" a file.
std::string form_body(const Parts& parts) {
  std::string body;
  for (const auto& [name, content] : parts) {
    const std::size_t equals = name.find('=');
    body += "--b\r\nContent-Disposition: form-data; name=" + name.substr(0, equals);
    if (equals != std::string::npos) body += "; filename=" + name.substr(equals + 1);
    body += "\r\n\r\n" + content + "\r\n";
  }
  return body + "--b--\r\n";
}

class Videos : public Apis {
 protected:
  using Apis::Apis;

  Answer post(const Parts& parts, const std::string& headers = "") {
    return ask("POST", "/v1/videos", form_body(parts),
               std::string(kToken) + "Content-Type: multipart/form-data; boundary=b\r\n" + headers);
  }
  json made(const Parts& more = {}) {
    Parts parts{{"input_reference=me.jpg", kPicture}, {"motion=dance.mp4", kVideo}};
    parts.insert(parts.end(), more.begin(), more.end());
    const Answer answer = post(parts);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }
  json job_of(const json& video) { return ask_json("GET", "/api/v1/jobs/" + video.at("id").get<std::string>()); }
  std::string place_of(const json& video) { return "/v1/videos/" + video.at("id").get<std::string>(); }
};

TEST_F(Videos, AreJobsOfTheSameFilesAndSettings) {
  const json video = made({{"prompt", "me, dancing"},
                           {"size", "64x128"},
                           {"seconds", "1.5"},
                           {"settings", R"({"steps":4})"},
                           {"align", R"({"person":"left","start":0.5,"speed":2})"},
                           {"format", "webm"}});
  const json job = job_of(video);
  EXPECT_EQ(job.at("kind"), "animate");
  EXPECT_EQ(job.at("label"), "me, dancing");
  const json request = job.at("request");
  EXPECT_EQ(request.at("reference"), upload(kPicture));
  EXPECT_EQ(request.at("motion"), upload(kVideo));
  EXPECT_EQ(request.at("settings"), json::parse(R"({"steps":4,"size":"64x128"})"));
  EXPECT_EQ(request.at("align"), json::parse(R"({"person":"left","start":0.5,"speed":2,"end":3.5})"));
  EXPECT_EQ(request.at("format"), "webm");
  EXPECT_EQ(ask_json("GET", "/api/v1/assets/" + request.at("motion").get<std::string>()).at("name"), "dance.mp4");
  EXPECT_EQ(video, ask_json("GET", place_of(video)));
  json expected{{"id", job.at("id")},    {"object", "video"}, {"model", nullptr},
                {"status", "queued"},    {"progress", 0},     {"prompt", "me, dancing"},
                {"size", "64x128"},      {"seconds", "1.5"},  {"completed_at", nullptr},
                {"expires_at", nullptr}, {"error", nullptr},  {"remixed_from_video_id", nullptr}};
  json shown = video;
  EXPECT_TRUE(shown.at("created_at").is_number_integer());
  shown.erase("created_at");
  EXPECT_EQ(shown, expected);
}

TEST_F(Videos, TakeFilesThatAreThereByTheirIds) {
  make_model("other");
  const Answer answer = post({{"motion", upload(kVideo)}, {"input_reference", upload(kPicture)}, {"model", "other"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json video = json::parse(answer.body);
  EXPECT_EQ(video.at("model"), "other");
  EXPECT_EQ(video.at("size"), nullptr);
  EXPECT_EQ(video.at("seconds"), nullptr);
  EXPECT_EQ(answer.headers.at("location"), place_of(video));
}

TEST_F(Videos, KeepTheModelThatWasMeant) {
  make_model("first");
  const json video = made();
  make_model("earlier");
  EXPECT_EQ(video.at("model"), "first");
  EXPECT_EQ(ask_json("GET", place_of(video)), video);
}

TEST_F(Videos, StandInTheAccountOfTheFolder) {
  const auto assets = [&] { return api_.sweeper().account().use().assets; };
  made();
  EXPECT_EQ(assets(), kPicture.size() + kVideo.size());
  made();
  EXPECT_EQ(assets(), kPicture.size() + kVideo.size()) << "each content once";
  post({{"input_reference=me.jpg", kPicture}, {"odd=dance.mp4", kVideo}});
  EXPECT_EQ(api_.sweeper().account().use().incoming, 0U);
}

TEST_F(Videos, AreMadeOnceForOneKey) {
  const Parts parts{{"input_reference=me.jpg", kPicture}, {"motion=dance.mp4", kVideo}};
  const json first = json::parse(post(parts, "Idempotency-Key: k\r\n").body);
  EXPECT_EQ(json::parse(post(parts, "Idempotency-Key: k\r\n").body).at("id"), first.at("id"));
  EXPECT_EQ(problem_of(post({parts.at(0), parts.at(1), {"prompt", "x"}}, "Idempotency-Key: k\r\n")),
            "/problems/conflict");
}

TEST_F(Videos, HaveAPromptOfAnyLength) {
  std::string prompt;
  for (int i = 0; i < 300; ++i) prompt += "\xc3\xa4";
  EXPECT_EQ(made({{"prompt", prompt}}).at("prompt"), prompt.substr(0, 400)) << "200 characters";
}

TEST_F(Videos, RefuseWhatCannotBe) {
  const std::pair<std::string, std::string> person("input_reference=me.jpg", kPicture);
  const std::pair<std::string, std::string> motion("motion=dance.mp4", kVideo);
  const std::vector<std::pair<Parts, std::string>> cases{
      {{person}, "/motion"},
      {{motion, {"prompt", "a person who dances"}}, "/input_reference"},
      {{person, motion, {"seconds", "soon"}}, "/seconds"},
      {{person, motion, {"seconds", "-1"}}, "/seconds"},
      {{person, motion, {"seconds", "inf"}}, "/seconds"},
      {{person, motion, {"seconds", "1.7e308"}, {"align", R"({"speed":2})"}}, "/seconds"},
      {{person, motion, {"seconds", "2"}, {"align", R"({"end":3})"}}, "/seconds"},
      {{person, motion, {"size", "64x64"}, {"settings", R"({"size":"64x64"})"}}, "/size"},
      {{person, motion, {"settings", "[]"}}, "/settings"},
      {{person, motion, {"settings", R"({"steps":0})"}}, "/settings/steps"},
      {{person, motion, {"settings", R"({"steps":4,"timesteps":"900,500"})"}}, "/settings/steps"},
      {{person, motion, {"settings", R"({"loras":[{"name":"style","scale":1}]})"}}, "/settings/loras/0/name"},
      {{person, motion, {"model", "third"}}, "/settings/model"},
      {{person, motion, {"prompt", std::string("a\0b", 3)}}, "/prompt"},
      {{person, motion, {"size", "\xff"}}, "/size"},
      {{person, motion, {"align", R"({"speed":"fast"})"}, {"seconds", "1"}}, "/align/speed"},
      {{person, motion, {"format", "exe"}}, "/format"},
      {{person, motion, {"user", "me"}}, "/user"},
      {{person, motion, {"prompt", "a"}, {"prompt", "b"}}, "/prompt"},
      {{person, motion, {"motion", "a00000000000000000000"}}, "/motion"},
      {{person, {"input_reference=again.jpg", kPicture}}, "/input_reference"},
      {{person, {"video=dance.mp4", kVideo}}, "/video"},
      {{{"input_reference=dance.mp4", kVideo}, motion}, "/reference"},
      {{person, {"motion", "a00000000000000000000"}}, "/motion"}};
  for (const auto& [parts, pointer] : cases) {
    const Answer answer = post(parts);
    ASSERT_EQ(answer.status, 422) << form_body(parts) << answer.body;
    EXPECT_EQ(json::parse(answer.body).at("errors").at(0).at("pointer"), pointer) << form_body(parts);
  }
  EXPECT_EQ(problem_of(post({person, motion, {"settings", "{"}})), "/problems/invalid-json");
  EXPECT_EQ(problem_of(post({person, {"motion=x", "#!/bin/sh"}})), "/problems/unsupported-type");
  EXPECT_EQ(problem_of(post({person, motion, {"prompt", std::string(70'000, 'x')}})), "/problems/too-large");
  EXPECT_EQ(problem_of(ask("POST", "/v1/videos", "{}")), "/problems/unsupported-type");
  EXPECT_EQ(ask_json("GET", "/v1/videos").at("data"), json::array());
}

TEST_F(Videos, MayTakeTheMotionToItsEnd) {
  const json video = made({{"align", R"({"start":0.5,"end":null})"}});
  EXPECT_EQ(video.at("seconds"), nullptr);
  EXPECT_EQ(ask_json("GET", place_of(video)), video);
  EXPECT_EQ(ask_json("GET", "/v1/videos").at("data").at(0), video);
}

TEST_F(Videos, TellHowFarTheyAre) {
  const json video = made({{"seconds", "1"}});
  const std::string id = video.at("id");
  const auto look = [&] { return ask_json("GET", place_of(video)); };
  EXPECT_EQ(problem_of(ask("GET", place_of(video) + "/content")), "/problems/not-found");
  with_queue([&](queue::JobQueue& queue) {
    const queue::Claim claim{id, queue.claim("video", "w", "cpu fp32")->attempt};
    EXPECT_EQ(look().at("progress"), 0);
    queue.report(claim, R"({"phase":"sample 1/2","done":5,"total":8})", false);
    EXPECT_EQ(look().at("status"), "in_progress");
    EXPECT_EQ(look().at("progress"), 62);
    std::filesystem::create_directories(api_.folder().job(id));
    std::ofstream(api_.folder().result(id, claim.attempt, ".mp4")) << "a video";
    return queue.complete(claim, R"({"width":64,"height":96,"frames":20,"frames_per_second":16})").has_value();
  });
  const json done = look();
  EXPECT_EQ(done.at("status"), "completed");
  EXPECT_EQ(done.at("progress"), 100);
  EXPECT_EQ(done.at("size"), "64x96");
  EXPECT_EQ(done.at("seconds"), "1.25");
  EXPECT_TRUE(done.at("completed_at").is_number_integer());
  EXPECT_EQ(done.at("expires_at"), nullptr) << "what was made stays";
  EXPECT_EQ(ask("GET", place_of(video) + "/content").body, "a video");
}

class KeptVideos : public Videos {
 protected:
  KeptVideos() : Videos({.finished_seconds = 1000.0, .free_bytes = 0}) {}
};

TEST_F(KeptVideos, TellHowLongTheyStay) {
  const json video = made();
  EXPECT_EQ(video.at("expires_at"), nullptr);
  with_queue([&](queue::JobQueue& queue) { return queue.cancel(video.at("id")).has_value(); });
  const json over = ask_json("GET", place_of(video));
  EXPECT_EQ(over.at("expires_at").get<std::int64_t>() - over.at("completed_at").get<std::int64_t>(), 1000);
}

TEST_F(Videos, SayWhyThereIsNone) {
  const json failed = made();
  with_queue([&](queue::JobQueue& queue) {
    const queue::Claim claim{failed.at("id"), queue.claim("video", "w", "cpu fp32")->attempt};
    return queue.fail(claim, R"({"type":"input","detail":"the file is damaged"})").has_value();
  });
  const json cancelled = made();
  ask_json("POST", "/api/v1/jobs/" + cancelled.at("id").get<std::string>() + "/cancel", "", 202);
  const auto error_of = [&](const json& video) {
    const json shown = ask_json("GET", place_of(video));
    EXPECT_EQ(shown.at("status"), "failed");
    EXPECT_TRUE(shown.at("completed_at").is_number_integer());
    return shown.at("error");
  };
  EXPECT_EQ(error_of(failed), json::parse(R"({"code":"input","message":"the file is damaged"})"));
  EXPECT_EQ(error_of(cancelled).at("code"), "cancelled");
}

TEST_F(Videos, AreListedAndRemoved) {
  json align = json::parse(animation());
  align["kind"] = "align";
  const std::string other = ask_json("POST", "/api/v1/jobs", align.dump(), 201).at("id");
  EXPECT_EQ(problem_of(ask("GET", "/v1/videos/" + other)), "/problems/not-found");
  EXPECT_EQ(problem_of(ask("DELETE", "/v1/videos/" + other)), "/problems/not-found");
  const json first = made();
  const json second = made();
  const json page = ask_json("GET", "/v1/videos?limit=1");
  EXPECT_EQ(page, (json{{"object", "list"},
                        {"data", json::array({second})},
                        {"first_id", second.at("id")},
                        {"last_id", second.at("id")},
                        {"has_more", true}}));
  const json rest = ask_json("GET", "/v1/videos?after=" + page.at("last_id").get<std::string>());
  EXPECT_EQ(rest.at("data"), json::array({first}));
  EXPECT_EQ(rest.at("has_more"), false);
  EXPECT_EQ(ask_json("DELETE", place_of(first)),
            (json{{"id", first.at("id")}, {"object", "video.deleted"}, {"deleted", true}}));
  EXPECT_EQ(problem_of(ask("GET", place_of(first))), "/problems/not-found");
  for (const char* limit : {"0", "101", "x"}) {
    EXPECT_EQ(problem_of(ask("GET", std::string("/v1/videos?limit=") + limit)), "/problems/invalid-request");
  }
}

}  // namespace
}  // namespace unianimate::server
