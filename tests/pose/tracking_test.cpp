#include "unianimate/pose/align/tracking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "pose/walker.h"
#include "unianimate/core/error.h"

namespace unianimate::pose {
namespace {

using testing::walker;

constexpr int kWidth = 1280;
constexpr int kHeight = 720;
constexpr Appearance kRed{{0.8, 0.1, 0.1}, {0.2, 0.2, 0.2}};
constexpr Appearance kBlue{{0.1, 0.1, 0.8}, {0.3, 0.3, 0.6}};

using Frames = std::vector<std::vector<Sighting>>;
using Numbers = std::vector<std::vector<std::int64_t>>;

Sighting somebody(Point neck, const std::optional<Appearance>& appearance = {}, double size = 1) {
  return {walker(testing::scaled({}, size), neck, 0), appearance};
}

/// Two people who pass each other in the middle of 40 frames; the second is listed first in every other frame.
Frames crossing(const std::optional<Appearance>& first, const std::optional<Appearance>& second) {
  Frames frames;
  for (int i = 0; i < 40; ++i) {
    frames.push_back({somebody({200.0 + 20 * i, 200}, first), somebody({1000.0 - 20 * i, 230}, second)});
    if (i % 2 == 1) std::ranges::reverse(frames.back());
  }
  return frames;
}

/// The number of the one that moves to the right, in each frame of crossing().
std::set<std::int64_t> numbers_of_first(const Numbers& numbers) {
  std::set<std::int64_t> found;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i].size() == 2) found.insert(numbers[i][i % 2]);
  }
  return found;
}

TEST(Tracking, PeopleKeepTheirNumbersWhereTheyCross) {
  for (const auto& frames : {crossing({}, {}), crossing(kRed, kBlue), crossing(kRed, {})}) {
    const Numbers numbers = assign_tracks(frames, kWidth, kHeight);
    EXPECT_EQ(numbers_of_first(numbers).size(), 1);
    for (const auto& frame : numbers) EXPECT_EQ(std::set(frame.begin(), frame.end()), (std::set<std::int64_t>{0, 1}));
  }
}

TEST(Tracking, ClothesTellWhoWasHiddenBehindWhom) {
  Frames frames = crossing(kRed, kBlue);
  for (std::size_t i = 17; i < 24; ++i) frames[i].erase(frames[i].begin() + (i % 2 == 0 ? 1 : 0));
  const Numbers numbers = assign_tracks(frames, kWidth, kHeight);
  ASSERT_EQ(numbers_of_first(numbers).size(), 1);
  for (std::size_t i = 17; i < 24; ++i) {
    ASSERT_EQ(numbers[i].size(), 1);
    EXPECT_EQ(numbers[i].front(), *numbers_of_first(numbers).begin()) << "frame " << i;
  }
}

Numbers after_absence(int frames_away, const std::optional<Appearance>& appearance, Point comes_back_at) {
  Frames frames(10, {somebody({640, 200}, appearance)});
  frames.resize(frames.size() + static_cast<std::size_t>(frames_away));
  frames.insert(frames.end(), 10, {somebody(comes_back_at, appearance)});
  return assign_tracks(frames, kWidth, kHeight);
}

TEST(Tracking, SomebodyWhoComesBackIsKnownByClothes) {
  constexpr int kLong = 200;
  EXPECT_EQ(after_absence(kLong, kRed, {200, 300}).back().front(), 0);
  EXPECT_EQ(after_absence(kLong, {}, {200, 300}).back().front(), 1);
}

TEST(Tracking, SomebodyWhoComesBackSoonIsKnownByPlace) {
  constexpr int kShort = 12;
  EXPECT_EQ(after_absence(kShort, {}, {660, 210}).back().front(), 0);
  EXPECT_EQ(after_absence(kShort, {}, {60, 210}).back().front(), 1) << "farther than anybody gets";
  EXPECT_EQ(after_absence(kShort, kRed, {60, 210}).back().front(), 0) << "but not than a cut goes";
}

TEST(Tracking, AnotherPersonInOtherClothesIsAnotherTrack) {
  Frames frames(10, {somebody({640, 200}, kRed)});
  frames.resize(100);
  frames.insert(frames.end(), 10, {somebody({640, 200}, kBlue)});
  EXPECT_EQ(assign_tracks(frames, kWidth, kHeight).back().front(), 1);
}

TEST(Tracking, NumbersBeginWithWhoMattersMost) {
  const Frames frames(5, {somebody({80, 500}, {}, 0.4), somebody({640, 200}, {}, 1.2), somebody({1200, 200}, {}, 1.2)});
  EXPECT_EQ(assign_tracks(frames, kWidth, kHeight), Numbers(5, {2, 0, 1}));
  Frames longer = frames;
  longer.insert(longer.end(), 100, {somebody({80, 500}, {}, 0.4)});
  EXPECT_EQ(assign_tracks(longer, kWidth, kHeight).back().front(), 0);
}

TEST(Tracking, TakesFramesOfNobody) {
  EXPECT_TRUE(assign_tracks({}, kWidth, kHeight).empty());
  EXPECT_EQ(assign_tracks(Frames(3), kWidth, kHeight), Numbers(3));
  EXPECT_EQ(assign_tracks(Frames{{}, {somebody({640, 200})}, {}}, kWidth, kHeight), (Numbers{{}, {0}, {}}));
}

// ---- appearance

/// Two halves: `top` above row 230, where a walker at y 120 has the hips, and `bottom` below.
Image dressed(std::uint8_t top, std::uint8_t bottom) {
  Image picture(640, 480);
  for (int y = 0; y < picture.height; ++y) std::ranges::fill(picture.row(y), y < 231 ? top : bottom);
  return picture;
}

TEST(Appearance, IsTheMeanColourOfTorsoAndThighs) {
  const auto appearance = appearance_of(dressed(255, 51), walker({}, {300, 120}, 0));
  ASSERT_TRUE(appearance);
  for (const double value : appearance->torso) EXPECT_NEAR(value, 1, 0.01);
  for (const double value : appearance->thighs) EXPECT_NEAR(value, 0.2, 0.01);
}

TEST(Appearance, OfThighsCountsBothLegs) {
  const Keypoints person = walker({}, {300, 120}, 0);
  Image picture(640, 480);
  for (int y = 0; y < picture.height; ++y) std::ranges::fill(picture.row(y).subspan(300 * Image::kChannels), 255);
  const auto appearance = appearance_of(picture, person);
  ASSERT_TRUE(appearance);
  for (const double value : appearance->thighs) EXPECT_NEAR(value, 0.5, 0.01);
}

TEST(Appearance, WithoutHipsIsThatOfTheChest) {
  Keypoints person = walker({}, {300, 120}, 0);
  testing::hide(person, kRightHip);
  const auto appearance = appearance_of(dressed(255, 0), person);
  ASSERT_TRUE(appearance);
  EXPECT_EQ(appearance->torso, (std::array<double, 3>{1, 1, 1}));
  EXPECT_EQ(appearance->thighs, appearance->torso);
}

TEST(Appearance, IsUnknownWithoutShouldersOrOutsideThePicture) {
  Keypoints person = walker({}, {300, 120}, 0);
  EXPECT_FALSE(appearance_of(dressed(1, 1), walker({}, {-900, 120}, 0)));
  EXPECT_FALSE(appearance_of(dressed(1, 1), walker({}, {1e15, -1e15}, 0)));
  testing::hide(person, kLeftShoulder);
  EXPECT_FALSE(appearance_of(dressed(1, 1), person));
}

// ---- choice

TEST(PersonChoice, ReadsWhatCanBeAskedFor) {
  using Kind = PersonChoice::Kind;
  EXPECT_EQ(PersonChoice::parse("main").kind, Kind::kMain);
  EXPECT_EQ(PersonChoice::parse("largest").kind, Kind::kLargest);
  EXPECT_EQ(PersonChoice::parse("center").kind, Kind::kCenter);
  EXPECT_EQ(PersonChoice::parse("left").kind, Kind::kLeft);
  EXPECT_EQ(PersonChoice::parse("right").kind, Kind::kRight);
  EXPECT_EQ(PersonChoice::parse("17").kind, Kind::kTrack);
  EXPECT_EQ(PersonChoice::parse("17").track, 17);
  EXPECT_EQ(PersonChoice::parse("0").track, 0);
  const PersonChoice place = PersonChoice::parse("-12.5,300");
  EXPECT_EQ(place.kind, Kind::kAt);
  EXPECT_EQ(place.at, (Point{-12.5, 300}));
}

TEST(PersonChoice, RefusesAnythingElse) {
  for (const char* text :
       {"",   " ",     "Main", "main ", "-1",    "1.5",  "1e12", "nan",        "inf",      "1,",
        ",1", "1,2,3", "1;2",  "nan,1", "1,inf", "1 ,2", "0x10", "left,right", "\xff\x01", "99999999999999999999999"}) {
    try {
      static_cast<void>(PersonChoice::parse(text));
      ADD_FAILURE() << "took '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
    }
  }
}

/// Track 0: large, left of the middle; 1: small, right; 2: of middle size at the left edge; 3: larger than all, but in
/// one frame only.
PoseSequence crowd() {
  PoseSequence sequence{kWidth, kHeight, 16, "made", {}};
  for (int i = 0; i < 20; ++i) {
    const auto person = [&](double size, Point neck, std::int64_t track) {
      return Person{walker(testing::scaled({}, size), neck, 0), track};
    };
    PoseFrame& frame = sequence.frames.emplace_back();
    frame.seconds = i / 16.0;
    frame.people = {person(1.6, {500, 150}, 0), person(0.5, {700, 150}, 1), person(1, {100, 150}, 2)};
    if (i == 7) frame.people.push_back(person(2, {1200, 100}, 3));
  }
  return sequence;
}

std::int64_t chosen(const std::string& text) {
  const PoseSequence one = choose_person(crowd(), PersonChoice::parse(text));
  EXPECT_EQ(one.frames.size(), 20);
  std::set<std::int64_t> tracks;
  for (const PoseFrame& frame : one.frames) {
    for (const Person& person : frame.people) tracks.insert(person.track);
  }
  EXPECT_EQ(tracks.size(), 1) << text;
  return tracks.empty() ? -1 : *tracks.begin();
}

TEST(PersonChoice, FindsWhoIsMeant) {
  EXPECT_EQ(chosen("main"), 0);
  EXPECT_EQ(chosen("largest"), 0) << "somebody there for a moment only is not the largest";
  EXPECT_EQ(chosen("center"), 1);
  EXPECT_EQ(chosen("left"), 2);
  EXPECT_EQ(chosen("right"), 1);
  EXPECT_EQ(chosen("2"), 2);
  EXPECT_EQ(chosen("3"), 3);
  EXPECT_EQ(chosen("90,300"), 2);
  EXPECT_EQ(chosen("710,200"), 1);
}

TEST(PersonChoice, LeavesFramesWithoutThePersonEmpty) {
  const PoseSequence one = choose_person(crowd(), PersonChoice::parse("3"));
  for (std::size_t i = 0; i < one.frames.size(); ++i) EXPECT_EQ(one.frames[i].people.size(), i == 7 ? 1 : 0);
}

TEST(PersonChoice, TakesOneOfTwoPeopleOfTheSameNumber) {
  PoseSequence sequence = crowd();
  for (PoseFrame& frame : sequence.frames) {
    for (Person& person : frame.people) person.track = 5;
  }
  for (const PoseFrame& frame : choose_person(sequence, PersonChoice::parse("5")).frames) {
    EXPECT_EQ(frame.people.size(), 1);
  }
}

TEST(PersonChoice, SaysHowManyFramesShowNobody) {
  PoseSequence nobody{kWidth, kHeight, 16, "made", std::vector<PoseFrame>(37)};
  for (const char* text : {"main", "left", "0", "1,1"}) {
    try {
      static_cast<void>(choose_person(nobody, PersonChoice::parse(text)));
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find("37 frames"), std::string::npos) << error.what();
    }
  }
}

TEST(PersonChoice, SaysWhichPeopleThereAre) {
  try {
    static_cast<void>(choose_person(crowd(), PersonChoice::parse("4")));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("from 0 to 3"), std::string::npos) << error.what();
  }
}

TEST(Tracking, CountsFramesOfEachTrack) {
  EXPECT_EQ(count_tracks(crowd()), (std::map<std::int64_t, std::int64_t>{{0, 20}, {1, 20}, {2, 20}, {3, 1}}));
}

}  // namespace
}  // namespace unianimate::pose
