// The whole interface over real sockets, with the queue and the data folder, and nobody who works.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>

#include "server/http/client.h"
#include "support/temporary_folder.h"
#include "unianimate/server/api/api.h"

namespace unianimate::server {

using http::testing::Answer;
using http::testing::Client;
using nlohmann::json;

inline const std::string kPicture("\xff\xd8\xff\xe0 a picture", 14);
inline const std::string kVideo(
    "\0\0\0\x18"
    "ftypmp42 a video",
    20);
inline constexpr const char* kToken = "Authorization: Bearer token\r\n";
inline constexpr const char* kJson = "Content-Type: application/json\r\n";

class Apis : public ::testing::Test {
 protected:
  explicit Apis(const store::Retention& retention = {.free_bytes = 0})
      : api_(folder_.path() / "data",
             {.version = "1.2", .models = folder_.path() / "models", .most_jobs = 3, .retention = retention}),
        listener_("127.0.0.1", 0, {}) {
    service_.access.hosts = {"test"};
    service_.access.token = "token";
    service_.access.is_session = [this](std::string_view cookie) { return api_.is_session(cookie, "token"); };
    api_.add_routes(service_.router, service_.access);
    thread_ = std::thread([this] { listener_.serve(service_); });
  }
  ~Apis() override {
    listener_.stop();
    thread_.join();
  }

  Answer ask(const char* method, const std::string& target, const std::string& body = "",
             const std::string& headers = std::string(kToken) + kJson) {
    Client client(listener_.port());
    client.send(http::testing::request_text(method, target, headers, body));
    return client.read_answer(std::string_view(method) == "HEAD");
  }
  json ask_json(const char* method, const std::string& target, const std::string& body = "", int status = 200) {
    const Answer answer = ask(method, target, body);
    EXPECT_EQ(answer.status, status) << method << " " << target << " " << answer.body;
    return json::parse(answer.body);
  }
  std::string problem_of(const Answer& answer) {
    return answer.status >= 400 ? json::parse(answer.body).at("type").get<std::string>() : "none";
  }
  std::string upload(const std::string& content, const std::string& name = "x") {
    const Answer answer = ask("POST", "/api/v1/assets?name=" + name, content, kToken);
    return json::parse(answer.body).at("id");
  }
  void make_model(const std::string& name) {
    std::filesystem::create_directories(folder_.path() / "models" / name);
    std::ofstream(folder_.path() / "models" / name / "unianimate_16f_32f_non_ema_223000.safetensors") << "weights";
  }
  std::string animation() {
    return json{{"kind", "animate"}, {"reference", upload(kPicture)}, {"motion", upload(kVideo)}}.dump();
  }
  std::string make_job() { return ask_json("POST", "/api/v1/jobs", animation(), 201).at("id"); }
  template <typename Work>
  auto with_queue(const Work& work) {
    return api_.queues().with(work);
  }

  unianimate::testing::TemporaryFolder folder_;
  Api api_;
  http::Listener listener_;
  http::Service service_;
  std::thread thread_;
};

}  // namespace unianimate::server
