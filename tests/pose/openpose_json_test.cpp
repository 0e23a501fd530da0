// Files as OpenPose and ComfyUI write them, read; and ours in their formats, read back.
#include "unianimate/pose/format/openpose_json.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "json_samples.h"
#include "media/test_images.h"
#include "support/temporary_folder.h"
#include "unianimate/pose/format/pose_import.h"
#include "unianimate/pose/format/pose_json.h"

namespace unianimate::pose {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::error_of;
using testing::expect_same;
using ::testing::HasSubstr;
using testing::random_poses;
using testing::TemporaryFolder;

/// Points in pixels that tell their number: `index` stands at (100 + index, 200 + index) with score 0.5 + index / 200.
json numbered(int count, int first = 0) {
  json list = json::array();
  for (int i = first; i < first + count; ++i) {
    list.push_back(100.5 + i);
    list.push_back(200.25 + i);
    list.push_back(0.5 + i / 200.0);
  }
  return list;
}

void expect_number(const Keypoint& keypoint, int number) {
  EXPECT_EQ(keypoint.at, (Point{100.5 + number, 200.25 + number})) << number;
  EXPECT_DOUBLE_EQ(keypoint.score, std::min(1.0, 0.5 + number / 200.0)) << number;
}

/// As --write_json writes a frame with --face and --hand, without 3D.
json openpose_person(const json& body) {
  return {{"person_id", {-1}},
          {"pose_keypoints_2d", body},
          {"face_keypoints_2d", numbered(70, 300)},
          {"hand_left_keypoints_2d", numbered(21, 400)},
          {"hand_right_keypoints_2d", numbered(21, 500)},
          {"pose_keypoints_3d", json::array()},
          {"face_keypoints_3d", json::array()},
          {"hand_left_keypoints_3d", json::array()},
          {"hand_right_keypoints_3d", json::array()}};
}

json openpose_frame(const std::vector<json>& people) {
  return {{"version", 1.3}, {"people", people}};
}

PoseSequence imported(const json& document, const ImportOptions& options = {}) {
  return parse_any_poses(document.dump(), "pose.json", options);
}

std::string refusal(const json& document, const ImportOptions& options = {}) {
  return error_of(ErrorKind::kInput, [&] { imported(document, options); });
}

/// The one person of a file with one frame and this body.
Keypoints keypoints_of(const json& person) {
  return imported(openpose_frame({person})).frames.at(0).people.at(0).keypoints;
}

TEST(OpenPose, Body25FaceAndHandsFindTheirPlaces) {
  const PoseSequence poses = imported(openpose_frame({openpose_person(numbered(25))}));
  EXPECT_EQ(poses.detector, "openpose");
  ASSERT_EQ(poses.frames.size(), 1);
  ASSERT_EQ(poses.frames[0].people.size(), 1);
  const Keypoints& found = poses.frames[0].people[0].keypoints;
  // The numbers are those of OpenPose's documentation of BODY_25.
  const std::vector<std::pair<KeypointIndex, int>> body{
      {kNose, 0},         {kNeck, 1},         {kRightShoulder, 2},  {kRightElbow, 3},  {kRightWrist, 4},
      {kLeftShoulder, 5}, {kLeftElbow, 6},    {kLeftWrist, 7},      {kRightHip, 9},    {kRightKnee, 10},
      {kRightAnkle, 11},  {kLeftHip, 12},     {kLeftKnee, 13},      {kLeftAnkle, 14},  {kRightEye, 15},
      {kLeftEye, 16},     {kRightEar, 17},    {kLeftEar, 18},       {kLeftBigToe, 19}, {kLeftSmallToe, 20},
      {kLeftHeel, 21},    {kRightBigToe, 22}, {kRightSmallToe, 23}, {kRightHeel, 24}};
  ASSERT_EQ(body.size(), kFace);
  for (const auto& [index, number] : body) expect_number(found[index], number);
  for (std::size_t i = 0; i < kFacePoints; ++i) expect_number(found[kFace + i], 300 + static_cast<int>(i));
  for (std::size_t i = 0; i < kHandPoints; ++i) {
    expect_number(found[kLeftHand + i], 400 + static_cast<int>(i));
    expect_number(found[kRightHand + i], 500 + static_cast<int>(i));
  }
}

TEST(OpenPose, CocoHasNoFeet) {
  for (const char* name : {"pose_keypoints_2d", "pose_keypoints"}) {  // the latter up to OpenPose 1.0
    const Keypoints found = keypoints_of({{name, numbered(18)}});
    for (std::size_t i = 0; i < kBodyPoints; ++i) expect_number(found[i], static_cast<int>(i));
    for (std::size_t i = kBodyPoints; i < kKeypoints; ++i) EXPECT_EQ(found[i].score, 0);
  }
}

TEST(OpenPose, SizeComesFromTheOptionsOrTheFarthestSeenPoint) {
  json body = numbered(18);
  body[0] = 1919.25;
  body[1] = -20;
  body[3] = 5000;
  body[5] = 0;  // score: unseen
  const json frame = openpose_frame({json{{"pose_keypoints_2d", body}}});
  const PoseSequence guessed = imported(frame);
  EXPECT_EQ(guessed.width, 1920);
  EXPECT_EQ(guessed.height, 218);
  const PoseSequence told = imported(frame, {.width = 2000, .height = 1000});
  EXPECT_EQ(told.width, 2000);
  EXPECT_EQ(told.height, 1000);
  EXPECT_EQ(told.frames[0].people[0].keypoints[0].at, (Point{1919.25, -20}));
  body[0] = 20000;
  EXPECT_THAT(refusal(openpose_frame({json{{"pose_keypoints_2d", body}}})), HasSubstr("give the width and height"));
}

TEST(OpenPose, FramesWithNobodyStayAndPeopleWithoutPointsGo) {
  const json nobody = {{"pose_keypoints_2d", json::array()}, {"hand_left_keypoints_2d", nullptr}};
  const PoseSequence poses = imported(openpose_frame({nobody, {{"pose_keypoints_2d", numbered(18)}}, json::object()}));
  ASSERT_EQ(poses.frames.size(), 1);
  ASSERT_EQ(poses.frames[0].people.size(), 1);
  EXPECT_EQ(poses.frames[0].people[0].track, 1);
  EXPECT_EQ(imported(openpose_frame({})).frames.size(), 1);
}

TEST(OpenPose, TracksAreKept) {
  json first = openpose_person(numbered(25));
  json second = first;
  first["person_id"] = json::array({42});
  const PoseSequence poses = imported(openpose_frame({first, second}));
  EXPECT_EQ(poses.frames[0].people[0].track, 42);
  EXPECT_EQ(poses.frames[0].people[1].track, 1);
}

TEST(OpenPose, ScoresAreBroughtIntoTheirRange) {
  json body = numbered(18);
  body[2] = 1.0625;
  body[5] = -0.5;
  const Keypoints found = keypoints_of({{"pose_keypoints_2d", body}});
  EXPECT_EQ(found[0].score, 1);
  EXPECT_EQ(found[1].score, 0);
}

TEST(OpenPose, NormalisedPointsNeedASize) {
  json body = json::array();
  for (int i = 0; i < 25; ++i) body.insert(body.end(), {i / 25.0, i == 3 ? 1.1131 : i / 50.0, 0.9});
  json person = openpose_person(body);
  const json frame = openpose_frame({person});
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { imported(frame); }), HasSubstr("give its width and height"));
  const PoseSequence poses = imported(frame, {.width = 1000, .height = 500});
  const Keypoints& found = poses.frames[0].people[0].keypoints;
  EXPECT_DOUBLE_EQ(found[kRightElbow].at.x, 120);
  EXPECT_DOUBLE_EQ(found[kRightElbow].at.y, 556.55);
  EXPECT_DOUBLE_EQ(found[kRightHeel].at.x, 960);
  expect_number(found[kLeftHand], 400);  // in pixels all along
}

TEST(OpenPose, RefusesTheRangeFromMinusOneToOne) {
  json body = json::array();
  for (int i = 0; i < 25; ++i) body.insert(body.end(), {-0.1 + i / 100.0, -0.9 + i / 14.0, 0.9});
  EXPECT_THAT(refusal(openpose_frame({json{{"pose_keypoints_2d", body}}})), HasSubstr("--keypoint_scale"));
}

TEST(OpenPose, PixelsFarOutsideThePictureStayPixels) {
  json body = numbered(18);
  for (std::size_t i = 0; i < body.size(); i += 3) {
    body[i] = -300;
    body[i + 1] = 1;
  }
  const Keypoints found = keypoints_of({{"pose_keypoints_2d", body}});
  EXPECT_EQ(found[kNose].at, (Point{-300, 1}));
}

TEST(OpenPose, NamesThePlaceOfWhatItRefuses) {
  const json good = openpose_frame({openpose_person(numbered(25)), openpose_person(numbered(25))});
  const auto refusal_with = [&good](const std::string& pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return refusal(bad);
  };
  EXPECT_THAT(refusal_with("/people", "x"), HasSubstr("people: expected a list"));
  EXPECT_EQ(refusal(openpose_frame({openpose_person(numbered(15))})),
            "pose.json, person 0, pose_keypoints_2d: expected x, y and score of 18 or 25 points, found 45 numbers");
  EXPECT_THAT(refusal(openpose_frame({"x"})), HasSubstr("pose.json, person 0: expected an object"));
  EXPECT_THAT(refusal({{"persons", json::array()}}), HasSubstr("it has no \"people\""));
  EXPECT_THAT(refusal({{"format", "other"}, {"people", json::array()}}), HasSubstr("its \"format\" is not"));
}

TEST(OpenPose, PartsThatCannotBeReadAreUnseen) {
  const json good = openpose_frame({openpose_person(numbered(25)), openpose_person(numbered(25))});
  const PoseSequence whole = imported(good);
  const auto found_with = [&good](const std::string& pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return imported(bad);
  };
  const auto expect_without = [&](const std::string& pointer, const json& value, std::size_t first, std::size_t count,
                                  const std::string& place) {
    const PoseSequence found = found_with(pointer, value);
    PoseSequence expected = whole;
    std::fill_n(expected.frames[0].people[0].keypoints.begin() + static_cast<std::ptrdiff_t>(first), count, Keypoint{});
    expect_same(found, expected);
    EXPECT_THAT(found.notes,
                ElementsAre("a face, hand or foot cannot be read and counts as unseen: pose.json, person 0, " + place));
  };
  expect_without("/people/0/hand_right_keypoints_2d", {1, 2, 3, 4}, kRightHand, kHandPoints,
                 "hand_right_keypoints_2d: expected x, y and score of 21 points, found 4 numbers");
  expect_without("/people/0/hand_left_keypoints_2d", "none", kLeftHand, kHandPoints,
                 "hand_left_keypoints_2d: expected a list, found \"none\"");
  expect_without("/people/0/face_keypoints_2d/7", "x", kFace, kFacePoints,
                 "face_keypoints_2d, number 7: expected a number from -1000000000 to 1000000000, found \"x\"");
  expect_without("/people/0/face_keypoints_2d", json::array({json{1, 2}}), kFace, kFacePoints,
                 "face_keypoints_2d, point 0: expected x, y and score, found 2 numbers");

  for (const auto& [pointer, value] : std::vector<std::pair<std::string, json>>{
           {"/people/0/pose_keypoints_2d", numbered(15)}, {"/people/0", "x"}, {"/people/0", nullptr}}) {
    const PoseSequence found = found_with(pointer, value);
    ASSERT_EQ(found.frames[0].people.size(), 1);
    testing::expect_same_points(found.frames[0].people[0].keypoints, whole.frames[0].people[1].keypoints, pointer);
    EXPECT_THAT(found.notes, ElementsAre(HasSubstr("a person's body cannot be read and counts as unseen: pose.json, "
                                                   "person 0")));
  }
  EXPECT_EQ(found_with("/people/1/person_id", json::array({"x"})).frames[0].people[1].track, 1);
}

TEST(OpenPose, TellsHowManyPartsCannotBeRead) {
  json person = openpose_person(numbered(25));
  person["hand_left_keypoints_2d"] = 5;
  person["face_keypoints_2d"] = 5;
  const json broken = {{"pose_keypoints_2d", numbered(3)}};
  const PoseSequence found =
      imported(json::array({openpose_frame({person}), openpose_frame({broken, person, broken})}));
  EXPECT_THAT(
      found.notes,
      ElementsAre("2 people's bodies cannot be read and count as unseen, first: pose.json, frame 1, person 0, "
                  "pose_keypoints_2d: expected x, y and score of 18 or 25 points, found 9 numbers",
                  "4 faces, hands or feet cannot be read and count as unseen, first: pose.json, frame 0, person "
                  "0, face_keypoints_2d: expected a list, found 5"));
}

TEST(OpenPose, PointsWithoutFiniteNumbersAreUnseen) {
  json body = numbered(18);
  std::string text = openpose_frame({{{"pose_keypoints_2d", body}}}).dump();
  const std::string wrist = "104.5,204.25,";
  ASSERT_NE(text.find(wrist), std::string::npos);
  text.replace(text.find(wrist), wrist.size(), "NaN,-Infinity,");
  const Keypoints found = parse_any_poses(text, "pose.json").frames.at(0).people.at(0).keypoints;
  EXPECT_EQ(found[kRightWrist].at, Point{});
  EXPECT_EQ(found[kRightWrist].score, 0);
  expect_number(found[kRightElbow], 3);
  expect_number(found[kLeftShoulder], 5);
}

// The DWPose node of ComfyUI's preprocessors: pixels, score 1 or nothing, null for what is not there, 70 face points.
TEST(ComfyUi, ReadsWhatTheDwposeNodeWrites) {
  json body = numbered(18);
  for (std::size_t i = 2; i < body.size(); i += 3) body[i] = 1.0;
  for (std::size_t i = 3; i < 6; ++i) body[i] = 0.0;
  const json person = {{"pose_keypoints_2d", body},
                       {"face_keypoints_2d", numbered(70)},
                       {"hand_left_keypoints_2d", nullptr},
                       {"hand_right_keypoints_2d", numbered(21)}};
  const json nobody = {{"people", json::array()}, {"canvas_height", 768}, {"canvas_width", 512}};
  json frame = nobody;
  frame["people"] = json::array({person});
  const PoseSequence poses = imported({nobody, frame, nobody}, {.width = 1, .height = 2, .frames_per_second = 8});
  EXPECT_EQ(poses.detector, "comfyui");
  EXPECT_EQ(poses.width, 512);
  EXPECT_EQ(poses.height, 768);
  EXPECT_EQ(poses.frames_per_second, 8);
  ASSERT_EQ(poses.frames.size(), 3);
  EXPECT_EQ(poses.frames[2].seconds, 0.25);
  EXPECT_TRUE(poses.frames[0].people.empty());
  const Keypoints& found = poses.frames[1].people.at(0).keypoints;
  EXPECT_EQ(found[kNose].at, (Point{100.5, 200.25}));
  EXPECT_EQ(found[kNose].score, 1);
  EXPECT_FALSE(found[kNeck].seen());
  EXPECT_FALSE(found[kLeftHand].seen());
  expect_number(found[kRightHand + 20], 20);
}

// The OpenPose node writes coordinates divided by the canvas.
TEST(ComfyUi, ScalesWhatTheOpenposeNodeWrites) {
  json body = json::array();
  for (int i = 0; i < 18; ++i) body.insert(body.end(), {0.25, i / 20.0, 1});
  const json frame = {
      {"people", json::array({json{{"pose_keypoints_2d", body}}})}, {"canvas_height", 768}, {"canvas_width", 512.0}};
  const PoseSequence poses = imported(json::array({frame}));
  EXPECT_DOUBLE_EQ(poses.frames[0].people[0].keypoints[kRightAnkle].at.x, 128);
  EXPECT_DOUBLE_EQ(poses.frames[0].people[0].keypoints[kRightAnkle].at.y, 384);
}

TEST(ComfyUi, ReadsFeetAndListsOfThree) {
  json nested = json::array();
  for (int i = 0; i < 18; ++i) nested.push_back({100.5 + i, 200.25 + i, 0.5 + i / 200.0});
  const Keypoints found = keypoints_of({{"pose_keypoints_2d", nested}, {"foot_keypoints_2d", numbered(6, 30)}});
  for (int i = 0; i < 18; ++i) expect_number(found[static_cast<std::size_t>(i)], i);
  expect_number(found[kLeftBigToe], 30);
  expect_number(found[kLeftHeel], 32);
  expect_number(found[kRightBigToe], 33);
}

TEST(ComfyUi, NullIsAFrameOrAListWithoutPeople) {
  const json frame = openpose_frame({openpose_person(numbered(25))});
  const PoseSequence found = imported({nullptr, frame, {{"people", nullptr}}, nullptr});
  ASSERT_EQ(found.frames.size(), 4);
  for (const std::size_t i : {0, 2, 3}) EXPECT_TRUE(found.frames[i].people.empty()) << i;
  EXPECT_EQ(found.frames[1].people.size(), 1);
}

TEST(ComfyUi, PassesAnimalsOver) {
  const json animals = {
      {"version", "ap10k"}, {"animals", {{{1, 2, 1}, {3, 4, 1}}}}, {"canvas_height", 512}, {"canvas_width", 768}};
  const PoseSequence poses = imported(json::array({animals}));
  EXPECT_EQ(poses.width, 768);
  EXPECT_TRUE(poses.frames.at(0).people.empty());
}

TEST(ComfyUi, RefusesACanvasThatChanges) {
  const json small = {{"people", json::array()}, {"canvas_height", 512}, {"canvas_width", 512}};
  json large = small;
  large["canvas_width"] = 768;
  EXPECT_EQ(refusal({small, large}),
            "pose.json, frame 1: its canvas is 768x512 and that of the frames before is 512x512; all frames must have "
            "one size");
  large.erase("canvas_width");
  EXPECT_THAT(refusal(json::array({large})), HasSubstr("frame 0: \"canvas_width\" is missing"));
  large["canvas_width"] = 1e6;
  EXPECT_THAT(refusal(json::array({large})), HasSubstr("frame 0, canvas_width"));
}

TEST(PoseImport, KnowsOurOwnFilesByAnyName) {
  const TemporaryFolder folder;
  const PoseSequence poses = random_poses(3, 2, 1);
  write_poses(folder / "a_keypoints.txt", poses);
  expect_same(import_poses(folder / "a_keypoints.txt"), poses);
  AlignedPoses aligned;
  aligned.motion = random_poses(2, 1, 2);
  write_poses(folder / "b", aligned);
  expect_same(import_poses(folder / "b", {.width = 7, .height = 7, .frames_per_second = 1}), aligned.motion);
}

TEST(PoseImport, OrdersTheFilesOfAFolderByNumber) {
  const TemporaryFolder folder;
  const auto write = [&folder](const std::string& name, int first) {
    const json person = {{"pose_keypoints_2d", numbered(18, first)}};
    testing::write_file(folder / name, openpose_frame({person}).dump());
  };
  write("b_10.json", 10);
  write("b_9.json", 9);
  write("b_11.json", 11);
  testing::write_file(folder / "readme.txt", "no pose");
  testing::write_file(folder / ".hidden.json", "no pose");
  const auto first_numbers = [&folder] {
    std::vector<double> numbers;
    for (const PoseFrame& frame : import_poses(folder.path()).frames) {
      numbers.push_back(frame.people.at(0).keypoints[0].at.x - 100.5);
    }
    return numbers;
  };
  EXPECT_EQ(first_numbers(), (std::vector<double>{9, 10, 11}));
  // Where OpenPose's own names are among them, only those count.
  write("dance_000000000010_keypoints.json", 60);
  write("dance_000000000009_keypoints.json", 50);
  EXPECT_EQ(first_numbers(), (std::vector<double>{50, 60}));
}

class NumberedPoses : public ::testing::Test {
 protected:
  void write(const std::string& name) const { testing::write_file(folder_ / name, openpose_frame({person_}).dump()); }
  /// 1 for a frame with a person, 0 for one without.
  [[nodiscard]] std::string people(const PoseSequence& poses) const {
    std::string digits;
    for (const PoseFrame& frame : poses.frames) digits += std::to_string(frame.people.size());
    return digits;
  }
  [[nodiscard]] std::string refusal() const {
    return error_of(ErrorKind::kInput, [&] { import_poses(folder_.path()); });
  }

  TemporaryFolder folder_;
  json person_ = {{"pose_keypoints_2d", numbered(18)}};
};

TEST_F(NumberedPoses, FillsInWhatIsLeftOut) {
  for (const int number : {7, 8, 9, 12, 13, 15}) write(fmt::format("clip_{:012}_keypoints.json", number));
  const PoseSequence poses = import_poses(folder_.path(), {.frames_per_second = 10});
  EXPECT_EQ(people(poses), "111001101");
  EXPECT_DOUBLE_EQ(poses.frames[5].seconds, 0.5);
  EXPECT_THAT(poses.notes,
              ElementsAre(HasSubstr("leave out the numbers 10, 11 and 14, taken for frames in which nobody")));
}

TEST_F(NumberedPoses, TellsOfLargerSteps) {
  for (const int number : {0, 5, 10, 20}) write(fmt::format("{}.json", number));
  const PoseSequence poses = import_poses(folder_.path());
  EXPECT_EQ(people(poses), "11101");
  EXPECT_THAT(poses.notes, ElementsAre(HasSubstr("count by 5"), HasSubstr("leave out number 15")));
}

TEST_F(NumberedPoses, RefusesToFillInMoreThanItsBound) {
  write("1_keypoints.json");
  write("999999999_keypoints.json");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("leave out 999999997 frames (2 to 999999998)"), HasSubstr("at most 100000")));
}

TEST_F(NumberedPoses, RefusesANumberThatIsThereTwice) {
  write("a_000_keypoints.json");
  write("b_000_keypoints.json");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("a_000_keypoints.json and b_000_keypoints.json are both numbered 0")));
  std::filesystem::remove(folder_ / "a_000_keypoints.json");
  write("b_00_keypoints.json");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("b_000_keypoints.json and b_00_keypoints.json are both numbered 0")));
}

TEST_F(NumberedPoses, NamesWithoutNumbersStayInTheirOrder) {
  for (const char* name : {"b.json", "a.json", "a10.json", "a9.json"}) write(name);
  const PoseSequence poses = import_poses(folder_.path());
  EXPECT_EQ(people(poses), "1111");
  EXPECT_TRUE(poses.notes.empty());
}

TEST(PoseImport, RefusesFoldersOfOtherThings) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { import_poses(folder.path()); }), HasSubstr("no JSON files"));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { import_poses(folder / "none"); }), HasSubstr("there is no file"));
  write_poses(folder / "poses.json", random_poses(1, 1, 3));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { import_poses(folder.path()); }), HasSubstr("poses.json, frame 0"));
  testing::write_file(folder / "poses.json", openpose_frame({}).dump());
  testing::write_file(folder / "settings.json", R"({"people": 5})");
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { import_poses(folder.path()); }), HasSubstr("settings.json, people"));
}

TEST(PoseImport, ChecksItsOptions) {
  const json frame = openpose_frame({});
  for (const ImportOptions& options :
       {ImportOptions{.width = 5}, ImportOptions{.width = -1, .height = -1}, ImportOptions{.width = 5, .height = 20000},
        ImportOptions{.frames_per_second = 0}, ImportOptions{.frames_per_second = std::nan("")}}) {
    EXPECT_NE(error_of(ErrorKind::kUsage, [&] { imported(frame, options); }), "");
  }
}

/// What an export keeps of `poses`.
void expect_exported(const PoseSequence& found, const PoseSequence& poses, bool scores) {
  constexpr double kHalfThousandth = 0.00051;
  EXPECT_EQ(found.width, poses.width);
  EXPECT_EQ(found.height, poses.height);
  ASSERT_EQ(found.frames.size(), poses.frames.size());
  for (std::size_t i = 0; i < poses.frames.size(); ++i) {
    ASSERT_EQ(found.frames[i].people.size(), poses.frames[i].people.size());
    for (std::size_t k = 0; k < poses.frames[i].people.size(); ++k) {
      for (std::size_t p = 0; p < kKeypoints; ++p) {
        const Keypoint& expected = poses.frames[i].people[k].keypoints[p];
        const Keypoint& keypoint = found.frames[i].people[k].keypoints[p];
        ASSERT_EQ(keypoint.seen(), expected.seen());
        if (!expected.seen()) continue;
        EXPECT_NEAR(keypoint.at.x, expected.at.x, kHalfThousandth);
        EXPECT_NEAR(keypoint.at.y, expected.at.y, kHalfThousandth);
        EXPECT_NEAR(keypoint.score, scores ? expected.score : 1, 1e-6);
      }
    }
  }
}

TEST(Export, OpenPoseFolderComesBack) {
  PoseSequence poses = random_poses(11, 2, 4);
  poses.frames[3].people.clear();
  poses.frames[0].people[0].keypoints[kRightEye].score = 0.5;
  poses.frames[0].people[0].keypoints[kRightHip].score = 0.5;
  poses.frames[0].people[0].keypoints[kLeftHip].score = 0.75;
  poses.frames[0].people[1].keypoints[kLeftHip].score = 0.25;
  const TemporaryFolder folder;
  write_openpose(folder / "dance/", poses);
  const PoseSequence found = import_poses(folder / "dance", {.frames_per_second = 24});
  expect_exported(found, poses, true);
  EXPECT_EQ(found.frames[1].people[1].track, 11);
  EXPECT_DOUBLE_EQ(found.frames[6].seconds, 0.25);

  const json frame = json::parse(testing::file_content(folder / "dance/dance_000000000000_keypoints.json"));
  EXPECT_EQ(frame.at("version"), 1.3);
  const json& person = frame.at("people").at(0);
  EXPECT_EQ(person.at("person_id"), json::array({10}));
  EXPECT_EQ(person.at("pose_keypoints_2d").size(), 75);
  EXPECT_EQ(person.at("face_keypoints_2d").size(), 210);
  EXPECT_EQ(person.at("hand_left_keypoints_2d").size(), 63);
  EXPECT_EQ(person.at("hand_right_keypoints_2d").size(), 63);
  const Keypoints& keypoints = poses.frames[0].people[0].keypoints;
  const Point hips = middle(keypoints[kRightHip].at, keypoints[kLeftHip].at);
  EXPECT_NEAR(person.at("pose_keypoints_2d").at(24).get<double>(), hips.x, 0.001);
  EXPECT_NEAR(person.at("pose_keypoints_2d").at(25).get<double>(), hips.y, 0.001);
  EXPECT_EQ(person.at("pose_keypoints_2d").at(26), 0.5);
  EXPECT_EQ(frame.at("people").at(1).at("pose_keypoints_2d").at(26), 0);
  for (const auto& [pupil, eye] : {std::pair(68, kRightEye), std::pair(69, kLeftEye)}) {
    const double x = keypoints[eye].seen() ? keypoints[eye].at.x : 0;
    EXPECT_NEAR(person.at("face_keypoints_2d").at(static_cast<std::size_t>(pupil) * 3).get<double>(), x, 0.001);
  }
}

TEST(Export, OpenPoseReplacesItsOwnFilesOnly) {
  const TemporaryFolder folder;
  write_openpose(folder / "dance", random_poses(5, 1, 5));
  const PoseSequence shorter = random_poses(2, 1, 6);
  write_openpose(folder / "dance", shorter);
  EXPECT_EQ(testing::listing(folder / "dance"),
            (std::set<std::string>{"dance_000000000000_keypoints.json", "dance_000000000001_keypoints.json"}));
  expect_exported(import_poses(folder / "dance"), shorter, true);
  EXPECT_EQ(testing::listing(folder.path()), std::set<std::string>{"dance"});

  testing::write_file(folder / "dance/other_000000000000_keypoints.json", openpose_frame({}).dump());
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { write_openpose(folder / "dance", random_poses(1, 1, 7)); }),
              HasSubstr("other_000000000000_keypoints.json"));
  EXPECT_EQ(testing::listing(folder / "dance").size(), 3);
  std::filesystem::create_directory(folder / "empty");
  write_openpose(folder / "empty", shorter);
  EXPECT_EQ(testing::listing(folder / "empty").size(), 2);
}

TEST(Export, ComfyUiFileComesBack) {
  PoseSequence poses = random_poses(4, 2, 8);
  poses.frames[1].people.clear();
  Keypoints& keypoints = poses.frames[2].people[0].keypoints;
  for (std::size_t i = 0; i < kHandPoints; ++i) keypoints[kLeftHand + i].score = 0.2;
  for (std::size_t i = 0; i < kFacePoints; ++i) keypoints[kFace + i].score = 0;
  const TemporaryFolder folder;
  write_comfyui(folder / "comfy.json", poses);
  expect_exported(import_poses(folder / "comfy.json"), poses, false);
  const json frames = json::parse(testing::file_content(folder / "comfy.json"));
  ASSERT_EQ(frames.size(), 4);
  EXPECT_EQ(frames[0].at("canvas_width"), 640);
  EXPECT_EQ(frames[0].at("people").at(0).at("pose_keypoints_2d").size(), 54);
  EXPECT_EQ(frames[0].at("people").at(0).at("face_keypoints_2d").size(), 210);
  EXPECT_TRUE(frames[2].at("people").at(0).at("hand_left_keypoints_2d").is_null());
  EXPECT_TRUE(frames[2].at("people").at(0).at("face_keypoints_2d").is_null());
  EXPECT_FALSE(frames[2].at("people").at(0).at("hand_right_keypoints_2d").is_null());
}

TEST(Export, WritesNoNumberThatJsonCannotHold) {
  PoseSequence poses = random_poses(2, 1, 9);
  poses.frames[1].people[0].keypoints[kNose] = {{std::nan(""), 5}, 0.5};
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { write_comfyui(folder / "a.json", poses); }), HasSubstr("nan"));
  EXPECT_THAT(error_of(ErrorKind::kInput, [&] { write_openpose(folder / "a", poses); }), HasSubstr("nan"));
  EXPECT_EQ(testing::listing(folder.path()), std::set<std::string>{});
}

}  // namespace
}  // namespace unianimate::pose
