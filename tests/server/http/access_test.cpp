#include "unianimate/server/http/access.h"

#include <gtest/gtest.h>

namespace unianimate::http {
namespace {

using std::chrono::seconds;

const char* const kNone = nullptr;
constexpr const char* kHost = "127.0.0.1:8720";

AccessRules some_rules() {
  return {.hosts = {kHost, "localhost:8720", "[::1]:8720"},
          .origins = {"https://studio.example"},
          .token = "secret",
          .is_session = [](std::string_view cookie) { return cookie == "good"; }};
}

struct AccessCase {
  const char* method;
  const char* host;
  const char* origin;
  const char* authorization;
  const char* cookie;
  const char* fetch_site;
  const char* expected;  ///< type of the problem; null: goes on
};

Request request_of(const AccessCase& one) {
  Request request;
  request.method = one.method;
  request.address = "10.0.0.1";
  const auto set = [&](const char* name, const char* value) {
    if (value != nullptr) request.headers.push_back({name, value});
  };
  set("Host", one.host);
  set("Origin", one.origin);
  set("Authorization", one.authorization);
  set("Cookie", one.cookie);
  set("Sec-Fetch-Site", one.fetch_site);
  return request;
}

TEST(Access, FollowsTheTable) {
  const char* const bearer = "Bearer secret";
  const char* const session = "unianimate_session=good";
  const std::vector<AccessCase> cases{
      // Host
      {"GET", kHost, kNone, bearer, kNone, kNone, kNone},
      {"GET", "LOCALHOST:8720", kNone, bearer, kNone, kNone, kNone},
      {"GET", "[::1]:8720", kNone, bearer, kNone, kNone, kNone},
      {"GET", kNone, kNone, bearer, kNone, kNone, "wrong-host"},
      {"GET", "127.0.0.1", kNone, bearer, kNone, kNone, "wrong-host"},
      {"GET", "127.0.0.1:80", kNone, bearer, kNone, kNone, "wrong-host"},
      {"GET", "attacker.example:8720", kNone, bearer, kNone, kNone, "wrong-host"},
      {"GET", "attacker.example:8720", "http://attacker.example:8720", kNone, session, kNone, "wrong-host"},
      {"OPTIONS", "attacker.example", kNone, kNone, kNone, kNone, "wrong-host"},
      // Origin
      {"POST", kHost, "http://127.0.0.1:8720", bearer, kNone, kNone, kNone},
      {"POST", kHost, "https://127.0.0.1:8720", bearer, kNone, kNone, kNone},
      {"POST", kHost, "https://studio.example", bearer, kNone, kNone, kNone},
      {"GET", kHost, "http://localhost:8720", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "http://127.0.0.1:80", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "https://attacker.example", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "https://studio.example.attacker.example", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "http://studio.example", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "null", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "*", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "", bearer, kNone, kNone, "cross-origin"},
      {"GET", kHost, "file://127.0.0.1:8720", bearer, kNone, kNone, "cross-origin"},
      {"OPTIONS", kHost, "https://attacker.example", kNone, kNone, kNone, "cross-origin"},
      // token
      {"GET", kHost, kNone, kNone, kNone, kNone, "unauthorized"},
      {"GET", kHost, kNone, "Bearer wrong!", kNone, kNone, "unauthorized"},
      {"GET", kHost, kNone, "Bearer ", kNone, kNone, "unauthorized"},
      {"GET", kHost, kNone, "Basic c2VjcmV0", kNone, kNone, "unauthorized"},
      {"GET", kHost, kNone, "secret", kNone, kNone, "unauthorized"},
      {"GET", kHost, kNone, "bearer secret", kNone, kNone, kNone},
      // A wrong token is not made good by a cookie.
      {"GET", kHost, kNone, "Bearer wrong!", session, kNone, "unauthorized"},
      // cookie
      {"GET", kHost, kNone, kNone, session, kNone, kNone},
      {"HEAD", kHost, kNone, kNone, session, "cross-site", kNone},
      {"GET", kHost, kNone, kNone, "unianimate_session=bad", kNone, "unauthorized"},
      {"GET", kHost, kNone, kNone, "other=good", kNone, "unauthorized"},
      {"POST", kHost, "http://127.0.0.1:8720", kNone, session, kNone, kNone},
      {"POST", kHost, kNone, kNone, session, "same-origin", kNone},
      {"POST", kHost, kNone, kNone, session, kNone, "cross-origin"},
      {"DELETE", kHost, kNone, kNone, session, "same-site", "cross-origin"},
      {"PATCH", kHost, kNone, kNone, session, "cross-site", "cross-origin"},
      {"POST", kHost, "https://attacker.example", kNone, session, "cross-site", "cross-origin"},
  };
  for (const AccessCase& one : cases) {
    const auto problem = check_access(request_of(one), some_rules(), std::string_view(one.method) == "OPTIONS");
    EXPECT_EQ(problem ? problem->type : "goes on", one.expected == nullptr ? "goes on" : one.expected)
        << one.method << " host " << (one.host == nullptr ? "-" : one.host) << " origin "
        << (one.origin == nullptr ? "-" : one.origin) << " cookie " << (one.cookie == nullptr ? "-" : one.cookie);
  }
}

TEST(Access, RefusesDoubledHeaders) {
  Request request = request_of({"GET", kHost, kNone, "Bearer secret", kNone, kNone, kNone});
  request.headers.push_back({"Host", kHost});
  EXPECT_EQ(check_access(request, some_rules(), false)->type, "wrong-host");
  request = request_of({"GET", kHost, "http://127.0.0.1:8720", "Bearer secret", kNone, kNone, kNone});
  request.headers.push_back({"Origin", "http://127.0.0.1:8720"});
  EXPECT_EQ(check_access(request, some_rules(), false)->type, "cross-origin");
}

TEST(Access, NeedsNoTokenWhereNoneIsSetOrTheRouteIsOpen) {
  const Request request = request_of({"POST", kHost, kNone, kNone, kNone, kNone, kNone});
  EXPECT_FALSE(check_access(request, some_rules(), true));
  AccessRules rules = some_rules();
  rules.token.clear();
  EXPECT_FALSE(check_access(request, rules, false));
}

TEST(Access, SaysHowToAuthenticate) {
  const auto problem = check_access(request_of({"GET", kHost, kNone, kNone, kNone, kNone, kNone}), some_rules(), false);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->status, 401);
  EXPECT_EQ(problem->headers.at(0).name, "WWW-Authenticate");
  EXPECT_EQ(problem->headers.at(0).value, "Bearer");
}

TEST(Access, StopsAddressesThatGuessButNotTheRightToken) {
  const AccessRules rules = some_rules();
  for (std::size_t i = 0; i < FailureCount::kMostAMinute; ++i) {
    EXPECT_EQ(check_token("guess", "10.0.0.1", rules)->type, "unauthorized");
  }
  const auto problem = check_token("guess", "10.0.0.1", rules);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->status, 429);
  EXPECT_EQ(problem->headers.at(0).name, "Retry-After");
  EXPECT_EQ(check_token("guess", "10.0.0.2", rules)->type, "unauthorized");
  EXPECT_FALSE(check_token("secret", "10.0.0.1", rules));
}

TEST(Failures, AreForgottenAfterAMinute) {
  FailureCount failures;
  const auto begin = FailureCount::Clock::now();
  for (std::size_t i = 0; i < FailureCount::kMostAMinute; ++i) failures.add("a", begin + seconds(i));
  EXPECT_TRUE(failures.exceeded("a", begin + seconds(59)));
  EXPECT_FALSE(failures.exceeded("a", begin + seconds(60)));
  failures.add("a", begin + seconds(61));
  EXPECT_FALSE(failures.exceeded("a", begin + seconds(61)));
}

TEST(Failures, TakeNoMoreRoomForMoreAddresses) {
  FailureCount failures;
  const auto begin = FailureCount::Clock::now();
  for (std::size_t i = 0; i < FailureCount::kMostAMinute; ++i) failures.add("first", begin);
  for (std::size_t i = 0; i < FailureCount::kMostAddresses; ++i) failures.add(std::to_string(i), begin + seconds(1));
  EXPECT_FALSE(failures.exceeded("first", begin + seconds(1)));
}

TEST(Secrets, AreTheSameOrNot) {
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "Abc"));
  EXPECT_FALSE(same_secret("abc", "ab"));
  EXPECT_FALSE(same_secret("", "a"));
}

}  // namespace
}  // namespace unianimate::http
