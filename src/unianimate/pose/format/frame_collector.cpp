#include "unianimate/pose/format/frame_collector.h"

namespace unianimate::pose {

PoseFrame& FrameCollector::add_frame(const JsonField& place) {
  if (frames_.size() == kMaxFrames) throw place.refusal("more than {} frames; cut the motion into parts", kMaxFrames);
  return frames_.emplace_back();
}

Person& FrameCollector::add_person(const JsonField& place) {
  std::vector<Person>& people = frames_.back().people;
  if (people.size() == kMaxPeopleInFrame) throw place.refusal("more than {} people in one frame", kMaxPeopleInFrame);
  if (people_ == kMaxPeople) {
    throw place.refusal("more than {} people in all frames together; cut the motion into parts", kMaxPeople);
  }
  ++people_;
  return people.emplace_back();
}

}  // namespace unianimate::pose
