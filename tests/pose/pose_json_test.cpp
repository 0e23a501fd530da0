// poses.json: written and read back, and read from hostile hands.
#include "unianimate/pose/format/pose_json.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "json_samples.h"
#include "media/test_images.h"
#include "support/temporary_folder.h"

namespace unianimate::pose {
namespace {

using nlohmann::json;
using testing::error_of;
using testing::expect_same;
using ::testing::HasSubstr;
using testing::random_poses;
using testing::TemporaryFolder;

AlignedPoses aligned_sample() {
  AlignedPoses poses;
  poses.motion = random_poses(4, 1, 7);
  poses.reference = random_poses(1, 1, 8).frames[0].people[0].keypoints;
  poses.report.method = "robust";
  poses.report.scale_x = 1.25;
  poses.report.scale_y = 2.0 / 3;
  poses.report.bones = {{"right upper arm", 1.1, "measured"}, {"left \"shin\"", 1e-9, "mirrored\n"}};
  poses.report.missing_frames = {0, 3};
  poses.report.notes = {"Frame 0 shows nobody, so it is held.", "ünïcode"};
  return poses;
}

template <typename Source>
std::string written(const Source& poses) {
  std::ostringstream out;
  write_poses(out, poses);
  return out.str();
}

json document(const PoseSequence& poses) {
  return json::parse(written(poses));
}

std::string refusal(const json& poses) {
  return error_of(ErrorKind::kInput, [&] { parse_poses(poses.dump(), "dance.json"); });
}

TEST(PoseJson, DetectedPosesComeBackExactly) {
  PoseSequence poses = random_poses(5, 3, 1);
  poses.detector = "a \"detector\" of ünïcode \n";
  poses.frames[1].people.clear();
  poses.frames[2].people[1].track = -7;
  Keypoints& keypoints = poses.frames[4].people[0].keypoints;
  keypoints[0] = {{0.1 + 0.2, std::nextafter(100.0, 0)}, std::nextafter(kSeenScore, 0)};
  keypoints[1] = {{-1e8 / 3, 5e-324}, kSeenScore};
  keypoints[2] = {{static_cast<double>(1.0F / 3), 1e5}, static_cast<double>(0.3F)};
  const TemporaryFolder folder;
  write_poses(folder / "poses.json", poses);
  expect_same(std::get<PoseSequence>(read_poses(folder / "poses.json")), poses);
  EXPECT_FALSE(keypoints[0].seen());
}

TEST(PoseJson, AlignedPosesComeBackExactly) {
  const AlignedPoses poses = aligned_sample();
  const TemporaryFolder folder;
  write_poses(folder / "poses.json", poses);
  const auto found = std::get<AlignedPoses>(read_poses(folder / "poses.json"));
  expect_same(found.motion, poses.motion);
  testing::expect_same_points(found.reference, poses.reference, "reference");
  EXPECT_EQ(found.report.method, poses.report.method);
  EXPECT_EQ(found.report.scale_x, poses.report.scale_x);
  EXPECT_EQ(found.report.scale_y, poses.report.scale_y);
  EXPECT_EQ(found.report.missing_frames, poses.report.missing_frames);
  EXPECT_EQ(found.report.notes, poses.report.notes);
  ASSERT_EQ(found.report.bones.size(), 2);
  EXPECT_EQ(found.report.bones[1].bone, "left \"shin\"");
  EXPECT_EQ(found.report.bones[1].ratio, 1e-9);
  EXPECT_EQ(found.report.bones[1].source, "mirrored\n");
}

TEST(PoseJson, HasOneFrameALine) {
  const std::string text = written(random_poses(6, 2, 2));
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_EQ(lines, 1 + 1 + 6 + 1);  // fields, "frames", the frames, the end
  EXPECT_THAT(text, ::testing::StartsWith("{\"format\":\"unianimate-poses\",\"version\":1,\"kind\":\"detected\","));
}

TEST(PoseJson, OrderOfFieldsAndUnknownOnesDoNotMatter) {
  PoseSequence poses = random_poses(3, 1, 3);
  json changed = document(poses);  // which sorts the fields, so that the version comes behind the frames
  changed["comment"] = {{"frames", {1, 2, {{"deep", json::array()}}}}};
  changed["frames"][1]["people"][0]["colour"] = "red";
  expect_same(std::get<PoseSequence>(parse_poses(changed.dump(2), "dance.json")), poses);
}

TEST(PoseJson, TrackAndFilledMayBeMissing) {
  json changed = document(random_poses(1, 2, 4));
  for (json& person : changed["frames"][0]["people"]) person = {{"keypoints", person["keypoints"]}};
  const auto found = std::get<PoseSequence>(parse_poses(changed.dump(), "dance.json"));
  EXPECT_EQ(found.frames[0].people[1].track, 1);
  EXPECT_FALSE(found.frames[0].people[0].filled);
}

TEST(PoseJson, RefusesNewerVersionsWhateverTheirFramesHold) {
  json newer = document(random_poses(1, 1, 5));
  newer["version"] = 2;
  EXPECT_THAT(refusal(newer), HasSubstr("version 2"));
  const std::string text = R"({"format": "unianimate-poses", "version": 3, "frames": [{"bodies": 5}]})";
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { parse_poses(text, "dance.json"); }), HasSubstr("version 3"));
}

TEST(PoseJson, NamesThePlaceOfWhatItRefuses) {
  const json good = document(random_poses(2, 2, 6));
  const auto refusal_with = [&good](const std::string& pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return refusal(bad);
  };
  const std::string person = "/frames/1/people/0";
  json short_list = good[json::json_pointer(person + "/keypoints")];
  short_list.erase(short_list.begin());
  EXPECT_EQ(refusal_with(person + "/keypoints", short_list),
            "dance.json, frame 1, person 0, keypoints: expected 402 numbers, x, y and score of 134 points, found 401");
  EXPECT_EQ(refusal_with(person + "/keypoints/5", 1.5),
            "dance.json, frame 1, person 0, keypoints: point 1 has score 1.5, expected one from 0 to 1");
  EXPECT_EQ(refusal_with(person + "/keypoints/8", -0.1),
            "dance.json, frame 1, person 0, keypoints: point 2 has score -0.1, expected one from 0 to 1");
  EXPECT_EQ(refusal_with(person + "/keypoints/3", 1e10),
            "dance.json, frame 1, person 0, keypoints, number 3: expected a number from -1000000000 to 1000000000, "
            "found 10000000000.0");
  EXPECT_THAT(refusal_with(person + "/keypoints/3", "1"), HasSubstr("frame 1, person 0, keypoints, number 3: "));
  EXPECT_THAT(refusal_with(person + "/keypoints", 5), HasSubstr("frame 1, person 0, keypoints: expected a list"));
  EXPECT_EQ(refusal_with(person, json::object()), "dance.json, frame 1, person 0: \"keypoints\" is missing");
  EXPECT_THAT(refusal_with(person, json::array()), HasSubstr("frame 1, person 0: expected an object, found a list"));
  EXPECT_THAT(refusal_with(person + "/track", 1.5), HasSubstr("person 0, track: expected a whole number"));
  EXPECT_THAT(refusal_with(person + "/track", std::uint64_t{1} << 63), HasSubstr("person 0, track"));
  EXPECT_THAT(refusal_with(person + "/filled", 1), HasSubstr("person 0, filled: expected true or false, found 1"));
  EXPECT_THAT(refusal_with("/frames/1/people", 1), HasSubstr("frame 1, people: expected a list, found 1"));
  EXPECT_THAT(refusal_with("/frames/1/seconds", -0.5), HasSubstr("frame 1, seconds: -0.5 is earlier than"));
  EXPECT_THAT(refusal_with("/frames/1/seconds", "now"), HasSubstr("frame 1, seconds"));
  EXPECT_THAT(refusal_with("/frames/1", 7), HasSubstr("frame 1: expected an object"));
  EXPECT_THAT(refusal_with("/frames/1", json::array()), HasSubstr("frame 1: expected an object"));
  EXPECT_EQ(refusal_with("/frames", json::array()), "dance.json: it holds no frames");
  EXPECT_EQ(refusal_with("/frames", 5), "dance.json: it holds no frames");
  EXPECT_THAT(refusal_with("/format", "unianimate"), HasSubstr("its \"format\" is not \"unianimate-poses\""));
  EXPECT_THAT(refusal_with("/format", 1), HasSubstr("format: expected text"));
  EXPECT_THAT(refusal_with("/version", "one"), HasSubstr("version: expected a whole number"));
  EXPECT_THAT(refusal_with("/kind", "drawn\x01"),
              HasSubstr("expected \"detected\" or \"aligned\", found \"drawn\\x01\""));
  EXPECT_THAT(refusal_with("/kind", "aligned"), HasSubstr("frame 0 has 2 people"));
  EXPECT_THAT(refusal_with("/width", 0), HasSubstr("width: expected a whole number from 1 to 16384, found 0"));
  EXPECT_THAT(refusal_with("/height", 16385), HasSubstr("height"));
  EXPECT_THAT(refusal_with("/height", 480.5), HasSubstr("height"));
  EXPECT_THAT(refusal_with("/height", nullptr), HasSubstr("\"height\" is missing"));
  EXPECT_THAT(refusal_with("/frames_per_second", -1), HasSubstr("frames_per_second"));
  EXPECT_THAT(refusal_with("/detector", 5), HasSubstr("detector: expected text, found 5"));
}

TEST(PoseJson, PointsWithoutFiniteNumbersAreUnseen) {
  const PoseSequence poses = random_poses(2, 1, 11);
  const std::string text = written(poses);
  for (const char* word : {"NaN", "Infinity", "-Infinity", "null", "nan", "-inf"}) {
    for (const std::size_t number : {0, 1, 2}) {
      json changed = json::parse(text);
      changed["frames"][1]["people"][0]["keypoints"][15 + number] = "HERE";
      changed["comment"] = "a NaN, \"Infinity\" and -Infinity";
      std::string changed_text = changed.dump();
      changed_text.replace(changed_text.find("\"HERE\""), 6, word);
      PoseSequence expected = poses;
      expected.frames[1].people[0].keypoints[5] = {};
      expect_same(std::get<PoseSequence>(parse_poses(changed_text, "dance.json")), expected);
    }
  }
}

TEST(PoseJson, StringsMayHoldTheWordNaN) {
  PoseSequence poses = random_poses(1, 1, 12);
  poses.detector = "NaN \\\" NaN, Infinity";
  expect_same(std::get<PoseSequence>(parse_poses(written(poses), "dance.json")), poses);
}

TEST(PoseJson, DamageIsFoundAtItsByteBehindNaN) {
  const std::string before = R"({"a": [NaN, -Infinity, Infinity, 1)";
  EXPECT_EQ(error_of(ErrorKind::kInput, [&] { parse_poses(before + "}", "x"); }),
            fmt::format("x is no valid JSON at its byte {}; the file is damaged or cut short", before.size() + 1));
  for (const char* text :
       {R"({"a": NaNa})", R"({"a": Na})", R"({"a": [1 NaN]})", R"({NaN: 1})", R"({"a": --Infinity})"}) {
    EXPECT_THAT(error_of(ErrorKind::kInput, [&] { parse_poses(text, "x"); }),
                HasSubstr("is no valid JSON at its byte"));
  }
}

TEST(PoseJson, RefusesIncompleteAlignments) {
  const json good = json::parse(written(aligned_sample()));
  EXPECT_NO_THROW(parse_poses(good.dump(), "dance.json"));
  for (const char* pointer : {"/reference", "/alignment", "/alignment/method", "/alignment/bones/0/ratio"}) {
    json bad = good;
    bad[json::json_pointer(pointer)] = nullptr;
    EXPECT_THAT(refusal(bad), HasSubstr("is missing")) << pointer;
  }
  json bad = good;
  bad["alignment"]["missing_frames"][1] = -1;
  EXPECT_THAT(refusal(bad), HasSubstr("alignment, missing_frames, entry 1"));
}

TEST(PoseJson, RefusesWhatIsNoPoseFile) {
  for (const char* text : {"", " ", "5", "null", "\"text\"", "[", "{", "[]", "{}", "[1]", "[[]]", "[{}]",
                           "\xFF\xD8\xFF", R"({"frames": [{}]})", R"({"frames": [{}], "frames": [{}]})", "{\"a\": NaN}",
                           "{} {}", "{\"a\": 1e999}", "{\"a\": \"\xC3\"}"}) {
    EXPECT_THAT(error_of(ErrorKind::kInput, [&] { parse_poses(text, "dance.json"); }), HasSubstr("dance.json")) << text;
  }
}

TEST(PoseJson, RefusesATextCutShortAnywhere) {
  PoseSequence poses{64, 48, 25, "dwpose", {}};
  poses.frames.resize(2);
  poses.frames[1].people.resize(1);
  const std::string text = written(poses);
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {
    EXPECT_THROW(parse_poses(text.substr(0, length), "dance.json"), Error) << length;
  }
}

TEST(PoseJson, RefusesDepthAndMassBeforeTheyTakeMemory) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { parse_poses("{\"a\":" + deep, "x"); }), HasSubstr("deeper than 16"));
  std::string many = "{\"a\":[0";
  for (int i = 0; i < 2'000'000; ++i) many += ",0";
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { parse_poses(many, "x"); }), HasSubstr("more than 2000000 values"));

  PoseSequence poses = random_poses(1, 0, 10);
  poses.frames.resize(1'000'001, poses.frames[0]);  // each frame takes few values, all together more than one may
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { parse_poses(written(poses), "x"); }),
              HasSubstr("frame 1000000: more than 1000000 frames"));

  std::string person = "{\"keypoints\":[0";
  for (std::size_t i = 1; i < 3 * kKeypoints; ++i) person += ",0";
  person += "]}";
  std::string crowd = R"({"frames":[{"seconds":0,"people":[)" + person;
  for (int i = 0; i < 1000; ++i) crowd += "," + person;
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { parse_poses(crowd + "]}]}", "x"); }),
              HasSubstr("frame 0, person 1000: more than 1000 people"));
}

TEST(PoseJson, RefusesFilesThatAreNone) {
  const TemporaryFolder folder;
  for (const auto& path : {folder / "none.json", folder.path()}) {
    EXPECT_THAT(error_of(ErrorKind::kInput, [&] { read_poses(path); }), HasSubstr(path.string()));
  }
  testing::write_file(folder / "huge.json", "{");
  std::filesystem::resize_file(folder / "huge.json", (std::uintmax_t{1} << 30) + 1);
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { read_poses(folder / "huge.json"); }), HasSubstr("may have 1.07 GB"));
}

TEST(PoseJson, WritesNoNumberThatJsonCannotHold) {
  const TemporaryFolder folder;
  testing::write_file(folder / "poses.json", "old");
  for (const double number : {std::nan(""), std::numeric_limits<double>::infinity(), 1e10}) {
    PoseSequence poses = random_poses(2, 1, 9);
    poses.frames[1].people[0].keypoints[kRightHand].at.y = number;
    EXPECT_THAT(error_of(ErrorKind::kInput, [&] { write_poses(folder / "poses.json", poses); }),
                HasSubstr("a point is at"));
  }
  AlignedPoses poses = aligned_sample();
  poses.report.bones[0].ratio = std::nan("");
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { write_poses(folder / "poses.json", poses); }), HasSubstr("ratio"));
  EXPECT_EQ(testing::file_content(folder / "poses.json"), "old");
  EXPECT_EQ(testing::listing(folder.path()), std::set<std::string>{"poses.json"});
}

}  // namespace
}  // namespace unianimate::pose
